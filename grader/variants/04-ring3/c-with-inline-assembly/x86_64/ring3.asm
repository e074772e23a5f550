; SPDX-License-Identifier: MIT
; Names for C, and what keeps and takes back a caller's registers.

bits 64
section .text

extern enter_in_c
extern run_in_c
extern return_in_c

global ring3_enter
ring3_enter:
    jmp enter_in_c

global ring3_run
ring3_run:
    jmp run_in_c

global ring3_return
ring3_return:
    jmp return_in_c

; uintptr_t context_take(struct context *context)
global context_take
context_take:
    mov [rdi], rbx
    mov [rdi + 8], rbp
    mov [rdi + 16], r12
    mov [rdi + 24], r13
    mov [rdi + 32], r14
    mov [rdi + 40], r15
    lea rcx, [rsp + 8]          ; as it will be behind the ret
    mov [rdi + 48], rcx
    mov rcx, [rsp]
    mov [rdi + 56], rcx
    xor eax, eax
    ret

; void context_give(struct context *context, uintptr_t value)
global context_give
context_give:
    mov rax, rsi
    mov rbx, [rdi]
    mov rbp, [rdi + 8]
    mov r12, [rdi + 16]
    mov r13, [rdi + 24]
    mov r14, [rdi + 32]
    mov r15, [rdi + 40]
    mov rsp, [rdi + 48]
    jmp [rdi + 56]
