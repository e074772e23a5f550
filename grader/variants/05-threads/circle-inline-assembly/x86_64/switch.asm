; SPDX-License-Identifier: MIT
; The timer's entry; thread_switch is in threads.c.

bits 64
default rel
section .text

extern timer_interrupt

; void timer_entry(void)
global timer_entry
timer_entry:
    cld
%assign number 8
%rep 8
    push r %+ number
%assign number number + 1
%endrep
    push rax
    push rbx
    push rcx
    push rdx
    push rbp
    push rdi
    push rsi
    call timer_interrupt
    pop rsi
    pop rdi
    pop rbp
    pop rdx
    pop rcx
    pop rbx
    pop rax
%rep 8
%assign number number - 1
    pop r %+ number
%endrep
    iretq
