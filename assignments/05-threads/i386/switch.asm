; SPDX-License-Identifier: MIT
; From one kernel stack to another, and into the kernel at each tick of the timer.

%include "offsets.inc"
%include "task.inc"

bits 32
section .text

extern tss_set_kernel_stack
extern timer_interrupt

; void thread_switch(struct thread *prev, struct thread *next)
; stack: [esp+8] next, [esp+4] prev (caller), [esp] return address (call)
; clobbers: eax ecx edx. Interrupts off.
global thread_switch
thread_switch:
    ; TASK 5.1: save, change esp, tell the TSS, restore
    TASK_OPEN "5.1"

; void timer_entry(void): named in the timer's gate, never called
; stack: ss esp (only from ring 3), eflags cs eip, pushed by the CPU. Interrupts off.
global timer_entry
timer_entry:
    ; TASK 5.4: keep everything, call timer_interrupt, restore everything
    TASK_OPEN "5.4"
