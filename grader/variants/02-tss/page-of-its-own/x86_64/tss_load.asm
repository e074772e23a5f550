; SPDX-License-Identifier: MIT
; TR, as often as anyone likes.

%include "offsets.inc"

BUSY equ 0x2                    ; bit 1 of the type

bits 64
default rel
section .text

extern gdt

; void tss_load(uint16_t selector)
; di: selector; stack: [rsp] return address (call)
; clobbers: rcx. Interrupts off.
global tss_load
tss_load:
    movzx edi, di
    lea rcx, [gdt]
    and byte [rcx + rdi + 5], ~BUSY
    ltr di
    ret
