; SPDX-License-Identifier: MIT
; From int 0x80 in ring 3 to syscall_dispatch, and back.

%include "offsets.inc"
%include "task.inc"

bits 32
section .text

extern syscall_dispatch

; void syscall_entry(void): named in the gate, never called
; stack: ss esp eflags cs eip, pushed by the CPU. Interrupts off.
global syscall_entry
syscall_entry:
    ; BEGIN SOLUTION 6.1: keep the registers, call syscall_dispatch, go back
    push ds
    push es
    push fs
    push gs
    push ebp
    push edi                    ; the arguments, the last one first: an array
    push esi
    push edx
    push ecx
    push ebx
    mov ecx, SEL_KDATA          ; ring 3 may have left anything in them
    mov ds, ecx
    mov es, ecx
    mov fs, ecx
    mov gs, ecx
    cld                         ; C expects DF clear
    mov edx, esp
    push edx                    ; arguments
    push eax                    ; number
    call syscall_dispatch       ; eax is the result from here on
    add esp, 8
    pop ebx
    pop ecx
    pop edx
    pop esi
    pop edi
    pop ebp
    pop gs
    pop fs
    pop es
    pop ds
    iretd
    ; END SOLUTION 6.1
