; SPDX-License-Identifier: MIT
; The GDTR learns how long the table is now.

%include "offsets.inc"
%include "task.inc"

bits 64
default rel
section .text

extern gdt_ptr

; void gdt_reload(unsigned slots)
; edi: slots; stack: [rsp] return address (call)
; clobbers: rax. Interrupts off.
global gdt_reload
gdt_reload:
    ; BEGIN SOLUTION 1.4: the new limit into gdt_ptr, then lgdt
    lea eax, [rdi * 8 - 1]      ; the limit is the offset of the last byte
    mov [gdt_ptr + GDT_PTR_LIMIT], ax
    lgdt [gdt_ptr]
    ret
    ; END SOLUTION 1.4
