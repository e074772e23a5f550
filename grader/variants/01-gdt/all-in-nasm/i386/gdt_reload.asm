; SPDX-License-Identifier: MIT
; The user segments as data, and the routines that bring them to the CPU.

%include "offsets.inc"

bits 32

section .rodata
align 8
user:
    dw 0xffff, 0                ; code: limit 15..0, base 15..0
    db 0, 11111011b, 11001111b, 0
    dw 0xffff, 0                ; data
    db 0, 11110011b, 11001111b, 0
user_end:

section .text
extern gdt
extern gdt_ptr

; void gdt_init_user(void)
global gdt_init_user
gdt_init_user:
    push esi
    push edi
    mov esi, user
    mov edi, gdt + 8 * GDT_INDEX_UCODE
    mov ecx, (user_end - user) / 4
    cld
    rep movsd
    pop edi
    pop esi
    ret

; void gdt_reload(unsigned slots)
global gdt_reload
gdt_reload:
    pop edx                     ; return address
    mov ecx, [esp]              ; slots
    lea ecx, [ecx * 8]
    dec cx
    mov eax, gdt_ptr
    mov [eax], cx
    lgdt [eax]
    jmp edx
