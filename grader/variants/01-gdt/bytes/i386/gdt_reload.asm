; SPDX-License-Identifier: MIT
; An operand of six bytes on the stack; gdt_ptr gets the same.

bits 32
section .text

extern gdt
extern gdt_ptr

; stack: [ebp+16] slots (caller), [ebp+12] return address, then ebp esi edi
global gdt_reload
gdt_reload:
    push ebp
    push esi
    push edi
    mov ebp, esp
    sub esp, 8
    mov ecx, [ebp + 16]
    shl ecx, 3
    dec ecx
    mov [esp], cx
    mov dword [esp + 2], gdt
    lgdt [esp]
    mov esi, esp
    mov edi, gdt_ptr
    mov ecx, 6
    cld
    rep movsb
    mov esp, ebp
    pop edi
    pop esi
    pop ebp
    ret
