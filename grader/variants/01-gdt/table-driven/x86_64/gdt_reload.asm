; SPDX-License-Identifier: MIT
; Limit and base are both written, whatever stood there.

bits 64
default rel

section .text align=16
extern gdt, gdt_ptr

global gdt_reload:function
gdt_reload:
    pushfq
    cli
    imul edx, edi, 8
    sub edx, 1
    lea r11, [gdt_ptr]
    mov [r11], dx
    lea r10, [gdt]
    mov [r11 + 2], r10
    lgdt [r11]
    popfq
    ret
