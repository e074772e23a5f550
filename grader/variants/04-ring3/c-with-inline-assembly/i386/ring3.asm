; SPDX-License-Identifier: MIT
; Names for C, and what keeps and takes back a caller's registers.

bits 32
section .text

extern enter_in_c
extern run_in_c
extern return_in_c

global ring3_enter
ring3_enter:
    jmp enter_in_c

global ring3_run
ring3_run:
    jmp run_in_c

global ring3_return
ring3_return:
    jmp return_in_c

; uintptr_t context_take(struct context *context)
global context_take
context_take:
    mov eax, [esp + 4]
    mov [eax], ebx
    mov [eax + 4], esi
    mov [eax + 8], edi
    mov [eax + 12], ebp
    lea ecx, [esp + 4]          ; as it will be behind the ret
    mov [eax + 16], ecx
    mov ecx, [esp]
    mov [eax + 20], ecx
    xor eax, eax
    ret

; void context_give(struct context *context, uintptr_t value)
global context_give
context_give:
    mov edx, [esp + 4]
    mov eax, [esp + 8]
    mov ebx, [edx]
    mov esi, [edx + 4]
    mov edi, [edx + 8]
    mov ebp, [edx + 12]
    mov esp, [edx + 16]
    jmp [edx + 20]
