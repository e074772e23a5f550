; SPDX-License-Identifier: MIT
; Entries for the vectors that no stage has claimed: they end in a panic, so nothing is
; kept for a way back.

%include "offsets.inc"

PANIC_STACK_BYTES equ 2 * PAGE_BYTES

bits 64
default rel

section .bss
alignb 16
global unclaimed_state
unclaimed_state:                ; struct unclaimed_state of idt.c
.rax:   resq 1
.rbx:   resq 1
.rcx:   resq 1
.rdx:   resq 1
.rsi:   resq 1
.rdi:   resq 1
.rbp:   resq 1
.rsp:   resq 1
.r8:    resq 1
.r9:    resq 1
.r10:   resq 1
.r11:   resq 1
.r12:   resq 1
.r13:   resq 1
.r14:   resq 1
.r15:   resq 1
.vector: resq 1
alignb 16
    resb PANIC_STACK_BYTES
panic_stack_top:

section .text
extern unclaimed_panic

; One entry a vector. Stack: what the CPU pushed, with or without an error code.
; clobbers: nothing that matters. Interrupts are off.
%assign vector 0
%rep VEC_COUNT
unclaimed_%+vector:
    mov qword [unclaimed_state.vector], vector
    jmp unclaimed
%assign vector vector + 1
%endrep

; Note the registers, and go on in C on a stack that is surely good.
unclaimed:
    mov [unclaimed_state.rax], rax
    mov [unclaimed_state.rbx], rbx
    mov [unclaimed_state.rcx], rcx
    mov [unclaimed_state.rdx], rdx
    mov [unclaimed_state.rsi], rsi
    mov [unclaimed_state.rdi], rdi
    mov [unclaimed_state.rbp], rbp
    mov [unclaimed_state.rsp], rsp
    mov [unclaimed_state.r8], r8
    mov [unclaimed_state.r9], r9
    mov [unclaimed_state.r10], r10
    mov [unclaimed_state.r11], r11
    mov [unclaimed_state.r12], r12
    mov [unclaimed_state.r13], r13
    mov [unclaimed_state.r14], r14
    mov [unclaimed_state.r15], r15
    lea rsp, [panic_stack_top]
    cld
    call unclaimed_panic        ; does not return

section .rodata
align 8
global unclaimed_entries        ; their addresses, by vector
unclaimed_entries:
%assign vector 0
%rep VEC_COUNT
    dq unclaimed_%+vector
%assign vector vector + 1
%endrep
