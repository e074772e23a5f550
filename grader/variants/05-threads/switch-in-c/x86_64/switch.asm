; SPDX-License-Identifier: MIT
; Into the kernel at each tick of the timer; thread_switch is in threads.c.

%include "offsets.inc"

bits 64
default rel
section .text

extern timer_interrupt

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
