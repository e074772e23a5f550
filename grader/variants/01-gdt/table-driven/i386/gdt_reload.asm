; SPDX-License-Identifier: MIT
; Limit and base are both written, whatever stood there.

bits 32

%macro SET 3                    ; size, offset, value
    mov %1 [gdt_ptr + %2], %3
%endmacro

section .text align=16
extern gdt, gdt_ptr

global gdt_reload:function
gdt_reload:
    pushad
    pushfd
    cli
    imul edx, dword [esp + 4 + 32 + 4], 8
    sub edx, 1
    SET word, 0, dx
    SET dword, 2, gdt
    lgdt [gdt_ptr]
    popfd
    popad
    ret
