; SPDX-License-Identifier: MIT
; The timer's entry; thread_switch is in threads.c.

%include "offsets.inc"

bits 32
section .text

extern timer_interrupt

; void timer_entry(void)
global timer_entry
timer_entry:
    pusha
    push ds
    push es
    push fs
    push gs
    mov bx, SEL_KDATA
    mov ds, bx
    mov es, bx
    mov fs, bx
    mov gs, bx
    cld
    call timer_interrupt
    pop gs
    pop fs
    pop es
    pop ds
    popa
    iretd
