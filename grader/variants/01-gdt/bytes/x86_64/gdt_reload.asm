; SPDX-License-Identifier: MIT
; An operand of ten bytes on the stack; gdt_ptr gets the same.

bits 64
section .text

extern gdt
extern gdt_ptr

; edi: slots
global gdt_reload
gdt_reload:
    sub rsp, 24
    shl edi, 3
    dec edi
    mov [rsp + 6], di
    mov rax, gdt
    mov [rsp + 8], rax
    lgdt [rsp + 6]
    lea rsi, [rsp + 6]
    mov rdi, gdt_ptr
    mov ecx, 10
    cld
    rep movsb
    add rsp, 24
    ret
