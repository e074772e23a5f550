; SPDX-License-Identifier: MIT
; From one kernel stack to another, and into the kernel at each tick of the timer.

%include "offsets.inc"
%include "task.inc"

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
    ; TASK 5.1: save, change rsp, tell the TSS, restore
    TASK_OPEN "5.1"

; void timer_entry(void): named in the timer's gate, never called
; stack: ss rsp rflags cs rip, pushed by the CPU in any case. Interrupts off.
global timer_entry
timer_entry:
    ; TASK 5.4: keep everything, call timer_interrupt, restore everything
    TASK_OPEN "5.4"
