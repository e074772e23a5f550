; SPDX-License-Identifier: MIT
; Kernel threads with marked registers: what the timer interrupts must come back whole.

%include "offsets.inc"

bits 64
default rel
section .text

extern scenario_marks
extern thread_yield

; void scenario_kernel_loop_N(void *argument): never returns. Registers hold the marks
; of row N, rcx counts.
%macro LOOP 1
global scenario_kernel_loop_%1
scenario_kernel_loop_%1:
    lea rcx, [scenario_marks]
    mov rax, [rcx + %1 * 128]
    mov rbx, [rcx + %1 * 128 + 8]
    mov rdx, [rcx + %1 * 128 + 16]
    mov rsi, [rcx + %1 * 128 + 24]
    mov rdi, [rcx + %1 * 128 + 32]
    mov rbp, [rcx + %1 * 128 + 40]
    mov r8, [rcx + %1 * 128 + 48]
    mov r9, [rcx + %1 * 128 + 56]
    mov r10, [rcx + %1 * 128 + 64]
    mov r11, [rcx + %1 * 128 + 72]
    mov r12, [rcx + %1 * 128 + 80]
    mov r13, [rcx + %1 * 128 + 88]
    mov r14, [rcx + %1 * 128 + 96]
    mov r15, [rcx + %1 * 128 + 104]
    xor ecx, ecx
global scenario_kernel_turn_%1
scenario_kernel_turn_%1:
    inc rcx
    jmp scenario_kernel_turn_%1
global scenario_kernel_end_%1
scenario_kernel_end_%1:
%endmacro

LOOP 0
LOOP 1
LOOP 2

; What the C code of an interrupt relies on: a bit for each that is not so. Long mode
; ignores DS, ES, FS and GS.
FLAGS_DF equ 0x400
LOST_DF equ 1                   ; DF is set

; uint32_t scenario_c_lost(void)
global scenario_c_lost
scenario_c_lost:
    xor eax, eax
    pushf
    pop rcx
    test ecx, FLAGS_DF
    jz .end
    or eax, LOST_DF
.end:
    ret

; What thread_yield lost: a bit each, in the order of YIELD_KEEPS in the checks.
LOST_STACK equ 1
LOST_IF equ 2
LOST_RBX equ 4
LOST_RBP equ 8
LOST_R12 equ 16
LOST_R13 equ 32
LOST_R14 equ 64
LOST_R15 equ 128

; Behind a comparison: note that bit unless both were equal.
%macro LOST_UNLESS_EQUAL 1
    je %%kept
    or eax, %1
%%kept:
%endmacro

; uint32_t scenario_yield_marked(uintptr_t mark): LOST_* bits of a thread_yield
; rdi mark; stack: [rsp] return address (call)
global scenario_yield_marked
scenario_yield_marked:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov rbx, rdi
    lea rbp, [rdi + 1]
    lea r12, [rdi + 2]
    lea r13, [rdi + 3]
    lea r14, [rdi + 4]
    lea r15, [rdi + 5]
    push rdi                    ; for the comparison
    pushf
    push rdi                    ; a live word of the stack
    call thread_yield
    pop rcx                     ; that word
    pop rdx                     ; the flags before
    pop rdi                     ; the mark
    xor eax, eax
    pushf
    pop rsi
    xor rdx, rsi
    test edx, EFLAGS_IF
    LOST_UNLESS_EQUAL LOST_IF
    cmp rcx, rdi
    LOST_UNLESS_EQUAL LOST_STACK
    cmp rbx, rdi
    LOST_UNLESS_EQUAL LOST_RBX
    inc rdi
    cmp rbp, rdi
    LOST_UNLESS_EQUAL LOST_RBP
    inc rdi
    cmp r12, rdi
    LOST_UNLESS_EQUAL LOST_R12
    inc rdi
    cmp r13, rdi
    LOST_UNLESS_EQUAL LOST_R13
    inc rdi
    cmp r14, rdi
    LOST_UNLESS_EQUAL LOST_R14
    inc rdi
    cmp r15, rdi
    LOST_UNLESS_EQUAL LOST_R15
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret
