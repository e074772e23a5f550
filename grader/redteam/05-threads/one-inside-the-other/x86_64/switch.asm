; SPDX-License-Identifier: MIT
; A function on another stack, and no switch.

bits 64
default rel
section .text

extern timer_interrupt

global thread_switch
thread_switch:
    ret

; void call_on(uintptr_t top, void (*function)(void *), void *argument)
global call_on
call_on:
    push rbp
    mov rbp, rsp
    mov rsp, rdi
    mov rdi, rdx
    call rsi
    mov rsp, rbp
    pop rbp
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
