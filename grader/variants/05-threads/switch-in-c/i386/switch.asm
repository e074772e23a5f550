; SPDX-License-Identifier: MIT
; Into the kernel at each tick of the timer; thread_switch is in threads.c.

%include "offsets.inc"

bits 32
section .text

extern timer_interrupt

; void timer_entry(void): named in the timer's gate, never called
; stack: ss esp (only from ring 3), eflags cs eip, pushed by the CPU. Interrupts off.
global timer_entry
timer_entry:
    pusha
    push ds
    push es
    push fs
    push gs
    mov eax, SEL_KDATA          ; ring 3 may have left anything in them
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    cld                         ; C expects DF clear
    call timer_interrupt        ; may come back much later
    pop gs
    pop fs
    pop es
    pop ds
    popa
    iretd
