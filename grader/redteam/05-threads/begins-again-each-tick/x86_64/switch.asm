; SPDX-License-Identifier: MIT
; From one kernel stack to another, and into the kernel at each tick of the timer.

%include "offsets.inc"

bits 64
default rel
section .text

extern tss_set_kernel_stack
extern timer_interrupt

; void thread_switch(struct thread *prev, struct thread *next)
; rdi prev, rsi next; stack: [rsp] return address (call)
; clobbers: rax rcx rdx rsi rdi r8-r11. Interrupts off.
global thread_switch
thread_switch:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov [rdi + THREAD_SP], rsp
    mov rsp, [rsi + THREAD_SP]  ; from here on the stack of next
    mov rdi, [rsi + THREAD_KERNEL_TOP]
    test rdi, rdi
    jz .restore                 ; the idle thread never enters ring 3
    sub rsp, 8                  ; a call needs the stack aligned to 16
    call tss_set_kernel_stack
    add rsp, 8
.restore:
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret                         ; into next, where it called, or where it begins

; void timer_entry(void): named in the timer's gate, never called
; stack: ss rsp rflags cs rip, pushed by the CPU in any case. Interrupts off.
global timer_entry
timer_entry:
    push rax
    push rbx
    push rcx
    push rdx
    push rsi
    push rdi
    push rbp
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15                    ; twenty words in all: the stack is aligned to 16
    cld                         ; C expects DF clear
    call timer_interrupt        ; may come back much later
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rbp
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rbx
    pop rax
    iretq

; void start_on(uintptr_t top, void (*function)(void *), void *argument)
global start_on
start_on:
    mov rsp, rdi
    mov rdi, rdx
    sti
    call rsi
