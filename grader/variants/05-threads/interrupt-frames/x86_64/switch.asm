; SPDX-License-Identifier: MIT
; Switches, and threads that begin by iretq.

%include "offsets.inc"

bits 64
default rel
section .text

extern tss_set_kernel_stack
extern timer_interrupt

; void thread_switch(struct thread *prev, struct thread *next)
global thread_switch
thread_switch:
    push rbx
    push rbp
    push r15
    push r14
    push r13
    push r12
    mov [rdi + THREAD_SP], rsp
    mov rsp, [rsi + THREAD_SP]
    mov r12, rsp                ; popped again below
    mov rdi, [rsi + THREAD_KERNEL_TOP]
    test rdi, rdi
    jz .idle
    and rsp, -16
    call tss_set_kernel_stack
    mov rsp, r12
.idle:
    pop r12
    pop r13
    pop r14
    pop r15
    pop rbp
    pop rbx
    ret

; void launch_iret(void): reached by ret
; stack: data segment, rip, cs, rflags, rsp, ss
global launch_iret
launch_iret:
    add rsp, 8                  ; data segments mean nothing here
    iretq

; void timer_entry(void)
global timer_entry
timer_entry:
    push rdi
    push rsi
    push rdx
    push rcx
    push rax
    push r8
    push r9
    push r10
    push r11
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    cld
    call timer_interrupt
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    pop r11
    pop r10
    pop r9
    pop r8
    pop rax
    pop rcx
    pop rdx
    pop rsi
    pop rdi
    iretq
