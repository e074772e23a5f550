; SPDX-License-Identifier: MIT
; The GDTR is read, changed in memory, and loaded again.

%include "offsets.inc"

bits 32

extern gdt_ptr

; void gdt_reload(unsigned slots)
; stack: [ebp+8] slots (caller), [ebp+4] return address (call), [ebp] caller's ebp
section .text
global gdt_reload
gdt_reload:
    push ebp
    mov ebp, esp
    push ebx
    sgdt [gdt_ptr]              ; the base stays what it is
    mov ecx, [ebp + 8]
    xor ebx, ebx
.slot:
    add ebx, 8
    loop .slot
    dec ebx
    mov word [gdt_ptr + GDT_PTR_LIMIT], bx
    lgdt [gdt_ptr]
    pop ebx
    leave
    ret
