; SPDX-License-Identifier: MIT
; To the end, whoever asks.

bits 32
section .text

extern timer_interrupt

global thread_switch
thread_switch:
global timer_entry
timer_entry:
    call timer_interrupt
