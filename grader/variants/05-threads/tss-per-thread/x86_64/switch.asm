; SPDX-License-Identifier: MIT
; A switch that loads TR instead of patching rsp0.

%include "offsets.inc"

bits 64
default rel
section .text

extern use_tss_of
extern timer_interrupt

; void thread_switch(struct thread *prev, struct thread *next)
global thread_switch
thread_switch:
    push r12
    push r13
    push r14
    push r15
    push rbx
    push rbp
    mov [rdi + THREAD_SP], rsp
    mov rsp, [rsi + THREAD_SP]
    cmp qword [rsi + THREAD_KERNEL_TOP], 0
    je .back
    mov rdi, rsi
    push rdi
    call use_tss_of
    pop rdi
.back:
    pop rbp
    pop rbx
    pop r15
    pop r14
    pop r13
    pop r12
    ret

; void set_stack0(struct tss *tss, uintptr_t top)
global set_stack0
set_stack0:
    mov [rdi + 4], rsi          ; rsp0, behind four reserved bytes
    ret

; void timer_entry(void)
global timer_entry
timer_entry:
    push r15
    push r14
    push r13
    push r12
    push r11
    push r10
    push r9
    push r8
    push rbp
    push rdi
    push rsi
    push rdx
    push rcx
    push rbx
    push rax
    cld
    call timer_interrupt
    pop rax
    pop rbx
    pop rcx
    pop rdx
    pop rsi
    pop rdi
    pop rbp
    pop r8
    pop r9
    pop r10
    pop r11
    pop r12
    pop r13
    pop r14
    pop r15
    iretq
