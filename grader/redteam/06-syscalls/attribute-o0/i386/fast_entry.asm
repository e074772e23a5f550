; SPDX-License-Identifier: MIT
; sysenter and sysexit: the page in ring 3, and the entry in ring 0.

%include "offsets.inc"
%include "task.inc"

bits 32
section .text

extern syscall_dispatch
extern user_check

; BEGIN SOLUTION 6.6: the code that fast_init copies to FAST_CALL_VA
; Called from ring 3 like a function, so it must not depend on where it lies.
; stack: [esp] return address (call)
global fast_page
fast_page:
    push ebp
    mov ebp, esp                ; sysenter forgets esp
    sysenter
fast_page_return:               ; esp is ebp of before again
    pop ebp
    ret
global fast_page_end
fast_page_end:

RETURN_VA equ FAST_CALL_VA + fast_page_return - fast_page
; END SOLUTION 6.6

; void fast_entry(void): named in MSR_SYSENTER_EIP, never called
; stack: esp is what MSR_SYSENTER_ESP says. Interrupts off.
global fast_entry
fast_entry:
    ; BEGIN SOLUTION 6.6: take the stack, check ebp, call syscall_dispatch, sysexit
    mov esp, [ss:esp]           ; esp0: the kernel stack of the running thread
    push ds
    push es
    push fs
    push gs
    push ebp                    ; esp of ring 3
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
    mov ebx, eax                ; C keeps ebx
    push dword 0                ; not for writing
    push dword 8                ; the page pops two words
    push ebp
    call user_check
    add esp, 12
    test eax, eax
    jnz .return                 ; E_FAULT
    mov edx, esp
    push edx                    ; arguments
    push ebx                    ; number
    call syscall_dispatch       ; eax is the result from here on
    add esp, 8
.return:
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
    mov ecx, ebp                ; sysexit: esp of ring 3
    mov edx, RETURN_VA          ; and its eip
    sti                         ; takes effect only behind the next instruction
    sysexit
    ; END SOLUTION 6.6
