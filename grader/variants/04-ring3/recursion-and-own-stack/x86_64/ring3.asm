; SPDX-License-Identifier: MIT
; Ring 3 by a frame that stands ready in memory; faults have a stack of their own.

%include "offsets.inc"

bits 64
default rel

section .data
align 8
start:                          ; what iretq pops
    dq 0                        ; RIP
    dq SEL_UCODE
    dq EFLAGS_IF | EFLAGS_FIXED
    dq 0                        ; RSP
    dq SEL_UDATA
waiting: dq 0                   ; 1 while a ring3_run waits

section .bss
align 16
    resb 8192
fault_stack:
caller_sp: resq 1

section .text

extern tss_set_kernel_stack

global ring3_enter
ring3_enter:
    mov [start], rdi
    mov [start + 24], rsi
    lea rsp, [start]
    iretq

global ring3_run
ring3_run:
    pushfq
    push r15
    push r14
    push r13
    push r12
    push rbp
    push rbx
    push rdi
    push rsi
    mov [caller_sp], rsp
    mov qword [waiting], 1
    lea rdi, [fault_stack]
    call tss_set_kernel_stack
    mov rsp, [caller_sp]
    pop rsi
    pop rdi
    mov [caller_sp], rsp
    jmp ring3_enter

global ring3_return
ring3_return:
    cmp qword [waiting], 1
    jne .nobody
    dec qword [waiting]
    mov rax, rdi
    mov rsp, [caller_sp]
    pop rbx
    pop rbp
    pop r12
    pop r13
    pop r14
    pop r15
    popfq
.nobody:
    ret
