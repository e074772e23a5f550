; SPDX-License-Identifier: MIT
; Kernel threads with marked registers: what the timer interrupts must come back whole.

%include "offsets.inc"

bits 32
section .text

extern scenario_marks
extern thread_yield

; void scenario_kernel_loop_N(void *argument): never returns. Registers hold the marks
; of row N, ecx counts.
%macro LOOP 1
global scenario_kernel_loop_%1
scenario_kernel_loop_%1:
    mov eax, [scenario_marks + %1 * 64]
    mov ebx, [scenario_marks + %1 * 64 + 4]
    mov edx, [scenario_marks + %1 * 64 + 8]
    mov esi, [scenario_marks + %1 * 64 + 12]
    mov edi, [scenario_marks + %1 * 64 + 16]
    mov ebp, [scenario_marks + %1 * 64 + 20]
    xor ecx, ecx
global scenario_kernel_turn_%1
scenario_kernel_turn_%1:
    inc ecx
    jmp scenario_kernel_turn_%1
global scenario_kernel_end_%1
scenario_kernel_end_%1:
%endmacro

LOOP 0
LOOP 1
LOOP 2

; What the C code of an interrupt relies on: a bit for each that is not so.
FLAGS_DF equ 0x400
LOST_DF equ 1                   ; DF is set
LOST_SEGMENTS equ 2             ; DS, ES, FS or GS is not the kernel's

; uint32_t scenario_c_lost(void)
global scenario_c_lost
scenario_c_lost:
    xor eax, eax
    pushf
    pop ecx
    test ecx, FLAGS_DF
    jz .segments
    or eax, LOST_DF
.segments:
    mov ecx, ds
    mov edx, es
    cmp ecx, SEL_KDATA
    jne .lost
    cmp edx, ecx
    jne .lost
    mov edx, fs
    cmp edx, ecx
    jne .lost
    mov edx, gs
    cmp edx, ecx
    je .end
.lost:
    or eax, LOST_SEGMENTS
.end:
    ret

; What thread_yield lost: a bit each, in the order of YIELD_KEEPS in the checks.
LOST_STACK equ 1
LOST_IF equ 2
LOST_EBX equ 4
LOST_ESI equ 8
LOST_EDI equ 16
LOST_EBP equ 32

; Behind a comparison: note that bit unless both were equal.
%macro LOST_UNLESS_EQUAL 1
    je %%kept
    or eax, %1
%%kept:
%endmacro

; uint32_t scenario_yield_marked(uintptr_t mark): LOST_* bits of a thread_yield
; stack: [esp+4] mark (caller), [esp] return address (call)
global scenario_yield_marked
scenario_yield_marked:
    push ebp
    push ebx
    push esi
    push edi
    mov ebx, [esp + 20]
    lea esi, [ebx + 1]
    lea edi, [ebx + 2]
    lea ebp, [ebx + 3]
    pushf
    push ebx                    ; a live word of the stack
    call thread_yield
    pop ecx                     ; that word
    pop edx                     ; the flags before
    xor eax, eax
    pushf
    xor edx, [esp]
    add esp, 4
    test edx, EFLAGS_IF
    LOST_UNLESS_EQUAL LOST_IF
    mov edx, [esp + 20]
    cmp ecx, edx
    LOST_UNLESS_EQUAL LOST_STACK
    cmp ebx, edx
    LOST_UNLESS_EQUAL LOST_EBX
    inc edx
    cmp esi, edx
    LOST_UNLESS_EQUAL LOST_ESI
    inc edx
    cmp edi, edx
    LOST_UNLESS_EQUAL LOST_EDI
    inc edx
    cmp ebp, edx
    LOST_UNLESS_EQUAL LOST_EBP
    pop edi
    pop esi
    pop ebx
    pop ebp
    ret
