; SPDX-License-Identifier: MIT
; The entry: all fifteen registers are kept, and rax of them becomes the result.

%include "offsets.inc"

bits 64
section .text

extern syscall_dispatch

SAVED_RAX equ 0

global syscall_entry
syscall_entry:
    push rbp
    mov rbp, rsp                ; a frame for backtraces
    push rbx
    push rcx
    push rdx
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15
    push rax
    push r8                     ; five arguments, once more
    push r10
    push rdx
    push rsi
    push rdi
    cld
    mov rdi, rax
    mov rsi, rsp
    sub rsp, 8
    call syscall_dispatch
    add rsp, 48
    mov [rsp + SAVED_RAX], rax
    pop rax
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rbx
    pop rbp
    iretq
