; SPDX-License-Identifier: MIT
; TR, as often as anyone likes.

%include "offsets.inc"

BUSY equ 0x2                    ; bit 1 of the type

bits 32
section .text

extern gdt

; void tss_load(uint16_t selector)
; stack: [esp+4] selector (caller), [esp] return address (call)
; clobbers: ecx. Interrupts off.
global tss_load
tss_load:
    movzx ecx, word [esp + 4]
    and byte [gdt + ecx + 5], ~BUSY
    ltr cx
    ret
