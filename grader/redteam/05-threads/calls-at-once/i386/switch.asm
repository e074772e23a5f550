; SPDX-License-Identifier: MIT
; No switch, and every register kept.

bits 32
section .text

extern timer_interrupt

global thread_switch
thread_switch:
    ret

global timer_entry
timer_entry:
    pusha
    call timer_interrupt
    popa
    iretd
