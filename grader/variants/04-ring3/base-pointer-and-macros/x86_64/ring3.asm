; SPDX-License-Identifier: MIT
; The way into ring 3 and back with base pointers.

%include "offsets.inc"

bits 64
default rel

; The words of a frame, from SS down to RIP.
%macro PUSH_EACH 1-*
%rep %0
    push %1
%rotate 1
%endrep
%endmacro

section .data
align 8
base: dq -1                     ; RBP of the waiting ring3_run; -1: there is none

section .text

extern tss_set_kernel_stack

global ring3_enter
ring3_enter:
    push rbp
    mov rbp, rsp
    pushfq
    pop rcx
    or rcx, EFLAGS_IF
    PUSH_EACH SEL_UDATA, rsi, rcx, SEL_UCODE, rdi
    iretq

global ring3_run
ring3_run:
    enter 64, 0
    mov [rbp - 8], rbx
    mov [rbp - 16], r12
    mov [rbp - 24], r13
    mov [rbp - 32], r14
    mov [rbp - 40], r15
    mov [rbp - 48], rdi
    mov [rbp - 56], rsi
    mov [base], rbp
    lea rdi, [rsp - 64]
    call tss_set_kernel_stack
    mov rdi, [rbp - 48]
    mov rsi, [rbp - 56]
    call ring3_enter

global ring3_return
ring3_return:
    cmp qword [base], -1
    jz .none
    mov eax, edi
    mov rbp, [base]
    mov rbx, [rbp - 8]
    mov r12, [rbp - 16]
    mov r13, [rbp - 24]
    mov r14, [rbp - 32]
    mov r15, [rbp - 40]
    or qword [base], -1
    leave
.none:
    ret
