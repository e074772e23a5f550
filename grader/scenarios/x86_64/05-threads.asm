; SPDX-License-Identifier: MIT
; Kernel threads with marked registers: what the timer interrupts must come back whole.

%include "offsets.inc"

bits 64
default rel
section .text

extern scenario_marks
extern scenario_landed

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

; void *scenario_marked(uintptr_t mark, void (*fn)(void), void *first, void *second)
; rdi mark, rsi fn, rdx first, rcx second; stack: [rsp] return address (call)
global scenario_marked
scenario_marked:
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
    mov rax, rsi                ; fn
    mov rdi, rdx                ; first
    mov rsi, rcx                ; second
    sub rsp, 8                  ; a call needs the stack aligned to 16
    lea rdx, [scenario_marked_call]
    jmp rdx                     ; a block of its own in the record
global scenario_marked_call
scenario_marked_call:
    call rax
global scenario_marked_back
scenario_marked_back:
    add rsp, 8
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret

; void scenario_land(void): reached by thread_switch, on a stack of its address. The
; flags may come from there too: aligned so that TF is clear in it.
align 512
global scenario_land
scenario_land:
    and rsp, -16                ; a call needs the stack aligned to 16
    push EFLAGS_FIXED
    popf
    push 0                      ; sixteen bytes in all
    call scenario_landed        ; does not return
