; SPDX-License-Identifier: MIT
; Entries for the vectors that no stage has claimed: they end in a panic, so nothing is
; kept for a way back.

%include "offsets.inc"

PANIC_STACK_BYTES equ 2 * PAGE_BYTES

bits 32

section .bss
alignb 16
global unclaimed_state
unclaimed_state:                ; struct unclaimed_state of idt.c
.eax:   resd 1
.ebx:   resd 1
.ecx:   resd 1
.edx:   resd 1
.esi:   resd 1
.edi:   resd 1
.ebp:   resd 1
.esp:   resd 1
.vector: resd 1
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
    mov dword [unclaimed_state.vector], vector
    jmp unclaimed
%assign vector vector + 1
%endrep

; Note the registers, and go on in C on a stack that is surely good.
unclaimed:
    mov [unclaimed_state.eax], eax
    mov [unclaimed_state.ebx], ebx
    mov [unclaimed_state.ecx], ecx
    mov [unclaimed_state.edx], edx
    mov [unclaimed_state.esi], esi
    mov [unclaimed_state.edi], edi
    mov [unclaimed_state.ebp], ebp
    mov [unclaimed_state.esp], esp
    mov ecx, SEL_KDATA          ; ring 3 may have left anything in these
    mov ds, ecx
    mov es, ecx
    mov esp, panic_stack_top
    cld
    call unclaimed_panic        ; does not return

section .rodata
global unclaimed_entries        ; their addresses, by vector
unclaimed_entries:
%assign vector 0
%rep VEC_COUNT
    dd unclaimed_%+vector
%assign vector vector + 1
%endrep
