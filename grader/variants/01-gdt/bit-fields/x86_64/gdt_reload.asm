; SPDX-License-Identifier: MIT
; The GDTR is read, changed in memory, and loaded again.

%include "offsets.inc"

bits 64

extern gdt_ptr

; void gdt_reload(unsigned slots)
; edi: slots
section .text
global gdt_reload
gdt_reload:
    push rbp
    mov rbp, rsp
    push rbx
    mov rdx, gdt_ptr
    sgdt [rdx]                  ; the base stays what it is
    mov ecx, edi
    xor ebx, ebx
.slot:
    add ebx, 8
    loop .slot
    dec ebx
    mov [rdx + GDT_PTR_LIMIT], bx
    lgdt [rdx]
    pop rbx
    leave
    ret
