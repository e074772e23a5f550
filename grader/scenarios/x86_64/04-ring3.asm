; SPDX-License-Identifier: MIT
; Calls ring3_run as a caller that relies on every register it may rely on.

bits 64
default rel

section .bss
align 8
global marked_sp
marked_sp: resq 1               ; the lowest live word of the caller's stack

section .text

extern ring3_run

; What ring3_run lost: a bit each. IF and DF count as lost if they are set.
LOST_SP equ 0x01
LOST_LIVE equ 0x02
LOST_FLAGS equ 0x04
LOST_RBX equ 0x08
LOST_RBP equ 0x10
LOST_R12 equ 0x20
LOST_R13 equ 0x40
LOST_R14 equ 0x80
LOST_R15 equ 0x100
FLAGS_IF_DF equ 0x600

MARK equ 0x5eedb00100000000

; Behind a comparison: note that bit unless both were equal.
%macro LOST_UNLESS_EQUAL 1
    je %%kept
    or edx, %1
%%kept:
%endmacro

; Compare with the next mark, in rax, and note that bit unless both are equal.
%macro LOST_UNLESS_NEXT 2
    inc rax
    cmp %1, rax
    LOST_UNLESS_EQUAL %2
%endmacro

; unsigned scenario_run_marked(uintptr_t entry, uintptr_t stack, uint32_t *lost)
; rdi: entry, rsi: stack, rdx: lost; stack: [rsp] return address (call)
; clobbers: rax rcx rdx rsi rdi r8-r11, as C allows. Interrupts off.
global scenario_run_marked
scenario_run_marked:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    push rdx
    mov rax, MARK
    lea rbx, [rax + 1]
    lea rbp, [rax + 2]
    lea r12, [rax + 3]
    lea r13, [rax + 4]
    lea r14, [rax + 5]
    lea r15, [rax + 6]
    push rax                    ; two live words of the kernel's stack, which align it
    push rax                    ; to 16 for the call
    mov [marked_sp], rsp
    call ring3_run
    mov r8, rax                 ; the result
    pushfq
    pop rcx
    xor edx, edx
    cmp rsp, [marked_sp]
    LOST_UNLESS_EQUAL LOST_SP
    mov rsp, [marked_sp]
    mov rax, MARK
    cmp [rsp], rax
    LOST_UNLESS_EQUAL LOST_LIVE
    cmp [rsp + 8], rax
    LOST_UNLESS_EQUAL LOST_LIVE
    test ecx, FLAGS_IF_DF
    LOST_UNLESS_EQUAL LOST_FLAGS
    LOST_UNLESS_NEXT rbx, LOST_RBX
    LOST_UNLESS_NEXT rbp, LOST_RBP
    LOST_UNLESS_NEXT r12, LOST_R12
    LOST_UNLESS_NEXT r13, LOST_R13
    LOST_UNLESS_NEXT r14, LOST_R14
    LOST_UNLESS_NEXT r15, LOST_R15
    cld
    mov eax, r8d
    add rsp, 16
    pop rcx
    mov [rcx], edx
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret
