; SPDX-License-Identifier: MIT
; Calls a student's routine and notes which of its caller's registers it has changed.

bits 64
default rel

; The nth register holds MARK + n; negative, so that the upper half is not 0 either.
MARK equ -0x51ab1e00

section .bss
alignb 8
global scenario_clobbered
scenario_clobbered: resd 1
    resd 1
stack_before: resq 1
callee: resq 1

section .text

; Sets bit %2 of eax if register %1 is no longer marked with %2.
%macro COMPARE 2
    cmp %1, MARK + %2
    je %%kept
    or eax, 1 << %2
%%kept:
%endmacro

; void scenario_call(void (*fn)(void), uintptr_t arg)
; rdi fn, rsi arg; stack: [rsp] return address (call)
; Interrupts as they were.
global scenario_call
scenario_call:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    sub rsp, 8                  ; aligned to 16 at the call
    mov [stack_before], rsp
    mov [callee], rdi
    mov rdi, rsi                ; the argument, and nowhere else
    mov rbx, MARK
    mov rbp, MARK + 1
    mov r12, MARK + 2
    mov r13, MARK + 3
    mov r14, MARK + 4
    mov r15, MARK + 5
    mov eax, MARK + 6
    mov ecx, MARK + 7
    mov edx, MARK + 8
    mov esi, MARK + 9
    mov r8d, MARK + 10
    mov r9d, MARK + 11
    mov r10d, MARK + 12
    mov r11d, MARK + 13
    call [callee]
    xor eax, eax
    cmp rsp, [stack_before]
    setne al
    shl eax, 31
    COMPARE rbx, 0
    COMPARE rbp, 1
    COMPARE r12, 2
    COMPARE r13, 3
    COMPARE r14, 4
    COMPARE r15, 5
    or [scenario_clobbered], eax
    mov rsp, [stack_before]
    add rsp, 8
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret
