; SPDX-License-Identifier: MIT
; The user segments as data, and the routines that bring them to the CPU.

%include "offsets.inc"

bits 64

section .data
align 16
user:
    dw 0xffff, 0                ; data: limit 15..0, base 15..0
    db 0, 11110011b, 11001111b, 0
    dw 0xffff, 0                ; code
    db 0, 11111011b, 10101111b, 0

section .text
extern gdt
extern gdt_ptr

; void gdt_init_user(void)
global gdt_init_user
gdt_init_user:
    mov rcx, [abs user]
    mov [abs gdt + 8 * GDT_INDEX_UDATA], rcx
    mov rcx, [abs user + 8]
    mov [abs gdt + 8 * GDT_INDEX_UCODE], rcx
    ret

; void gdt_reload(unsigned slots)
global gdt_reload
gdt_reload:
    pop rdx                     ; return address
    lea ecx, [edi * 8]
    dec cx
    mov eax, gdt_ptr
    mov [rax], cx
    lgdt [rax]
    jmp rdx
