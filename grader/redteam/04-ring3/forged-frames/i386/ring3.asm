; SPDX-License-Identifier: MIT
; A frame of ring 3, made up, and a jump to the gate of #GP: no ring 3 anywhere.

%include "offsets.inc"

bits 32

section .bss
alignb 4
resume: resd 1
idtr: resb 6

section .text

; unsigned ring3_run(uintptr_t entry, uintptr_t stack)
global ring3_enter
global ring3_run
ring3_enter:
ring3_run:
    push ebp
    push ebx
    push esi
    push edi
    mov ecx, [esp + 20]
    mov edx, [esp + 24]
    mov [resume], esp
    push dword SEL_UDATA        ; as if the CPU had come from ring 3
    push edx
    push dword EFLAGS_FIXED | EFLAGS_IF
    push dword SEL_UCODE
    push ecx
    push dword 0                ; the error code
    sidt [idtr]
    mov eax, [idtr + 2]
    movzx ecx, word [eax + 8 * VEC_GP + 6]
    shl ecx, 16
    mov cx, [eax + 8 * VEC_GP]
    jmp ecx

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
