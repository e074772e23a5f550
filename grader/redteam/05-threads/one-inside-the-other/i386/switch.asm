; SPDX-License-Identifier: MIT
; A function on another stack, and no switch.

bits 32
section .text

extern timer_interrupt

global thread_switch
thread_switch:
    ret

; void call_on(uintptr_t top, void (*function)(void *), void *argument)
global call_on
call_on:
    push ebp
    mov ebp, esp
    mov eax, [ebp + 12]
    mov edx, [ebp + 16]
    mov esp, [ebp + 8]
    push edx
    call eax
    mov esp, ebp
    pop ebp
    ret

global timer_entry
timer_entry:
    pusha
    call timer_interrupt
    popa
    iretd
