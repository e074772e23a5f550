; SPDX-License-Identifier: MIT
; From int 0x80 in ring 3 to syscall_dispatch, and back.

%include "offsets.inc"
%include "task.inc"

bits 64
section .text

extern syscall_dispatch

; void syscall_entry(void): named in the gate, never called
; stack: ss rsp rflags cs rip, pushed by the CPU, aligned to 16 before. Interrupts off.
global syscall_entry
syscall_entry:
    push rcx                    ; C may change these; it keeps rbx rbp r12-r15 itself
    push r9
    push r11
    push r8                     ; the arguments, the last one first: an array
    push r10
    push rdx
    push rsi
    push rdi
    cld                         ; C expects DF clear
    mov rsi, rsp                ; arguments
    mov rdi, rax                ; number
    sub rsp, 8                  ; thirteen words so far: aligns to 16
    call syscall_dispatch       ; rax is the result from here on
    add rsp, 8
    pop rdi
    pop rsi
    pop rdx
    pop r10
    pop r8
    pop r11
    pop r9
    pop rcx
    iretq
