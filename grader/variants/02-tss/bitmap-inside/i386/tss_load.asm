; SPDX-License-Identifier: MIT
; TR by way of a register.

bits 32
section .text

global tss_load
tss_load:
    push ebp
    mov ebp, esp
    movzx eax, word [ebp + 8]
    ltr ax
    pop ebp
    ret
