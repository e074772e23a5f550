; SPDX-License-Identifier: MIT
; Goes in, and after each fault in again.

%include "offsets.inc"

bits 32

section .bss
alignb 4
again: resd 2

section .text

extern tss_set_kernel_stack

; void ring3_enter(uintptr_t entry, uintptr_t stack)
global ring3_enter
ring3_enter:
    mov eax, SEL_UDATA
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    mov ecx, [esp + 4]
    mov edx, [esp + 8]
    push eax                    ; SS
    push edx                    ; ESP
    push dword EFLAGS_FIXED | EFLAGS_IF
    push dword SEL_UCODE        ; CS
    push ecx                    ; EIP
    iretd

; unsigned ring3_run(uintptr_t entry, uintptr_t stack)
global ring3_run
ring3_run:
    mov eax, [esp + 4]
    mov ecx, [esp + 8]
    mov [again], eax
    mov [again + 4], ecx
    push esp
    call tss_set_kernel_stack

; void ring3_return(unsigned vector)
global ring3_return
ring3_return:
    push dword [again + 4]
    push dword [again]
    call ring3_enter
