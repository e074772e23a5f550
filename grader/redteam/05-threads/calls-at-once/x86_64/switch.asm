; SPDX-License-Identifier: MIT
; No switch, and every register kept.

bits 64
default rel
section .text

extern timer_interrupt

global thread_switch
thread_switch:
    ret

global timer_entry
timer_entry:
    push rax
    push rcx
    push rdx
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    cld
    call timer_interrupt
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rax
    iretq
