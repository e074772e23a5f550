; SPDX-License-Identifier: MIT
; Every register at each switch.

%include "offsets.inc"

bits 64
default rel
section .text

extern tss_set_kernel_stack
extern timer_interrupt
extern pic_eoi

%macro PUSHA 0
    push r15
    push r14
    push r13
    push r12
    push r11
    push r10
    push r9
    push r8
    push rdi
    push rsi
    push rbp
    push rbx
    push rdx
    push rcx
    push rax
%endmacro

%macro POPA 0
    pop rax
    pop rcx
    pop rdx
    pop rbx
    pop rbp
    pop rsi
    pop rdi
    pop r8
    pop r9
    pop r10
    pop r11
    pop r12
    pop r13
    pop r14
    pop r15
%endmacro

; void thread_switch(struct thread *prev, struct thread *next)
global thread_switch
thread_switch:
    PUSHA
    pushfq
    mov [rdi + THREAD_SP], rsp
    mov rsp, [rsi + THREAD_SP]
    mov rdi, [rsi + THREAD_KERNEL_TOP]
    or rdi, rdi
    jz .idle
    push rbp
    mov rbp, rsp
    and rsp, -16
    call tss_set_kernel_stack
    mov rsp, rbp
    pop rbp
.idle:
    popfq
    POPA
    ret

; uintptr_t first_frame(uintptr_t top, void (*begin)(void))
global first_frame
first_frame:
    mov qword [rdi - 8], 0
    mov [rdi - 16], rsi
    lea rax, [rdi - 16 - 16 * 8]
    mov qword [rax], EFLAGS_FIXED
    ret

; void timer_entry(void)
global timer_entry
timer_entry:
    sub rsp, 15 * 8
    mov [rsp], rax
    mov [rsp + 8], rbx
    mov [rsp + 16], rcx
    mov [rsp + 24], rdx
    mov [rsp + 32], rsi
    mov [rsp + 40], rdi
    mov [rsp + 48], rbp
    mov [rsp + 56], r8
    mov [rsp + 64], r9
    mov [rsp + 72], r10
    mov [rsp + 80], r11
    mov [rsp + 88], r12
    mov [rsp + 96], r13
    mov [rsp + 104], r14
    mov [rsp + 112], r15
    cld
    xor edi, edi
    call pic_eoi
    call timer_interrupt
    mov rax, [rsp]
    mov rbx, [rsp + 8]
    mov rcx, [rsp + 16]
    mov rdx, [rsp + 24]
    mov rsi, [rsp + 32]
    mov rdi, [rsp + 40]
    mov rbp, [rsp + 48]
    mov r8, [rsp + 56]
    mov r9, [rsp + 64]
    mov r10, [rsp + 72]
    mov r11, [rsp + 80]
    mov r12, [rsp + 88]
    mov r13, [rsp + 96]
    mov r14, [rsp + 104]
    mov r15, [rsp + 112]
    add rsp, 15 * 8
    iretq
