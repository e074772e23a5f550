; SPDX-License-Identifier: MIT
; One access to the address AT, which has to fault. HOW: 0 reads, 1 writes, 2 jumps
; there. PAD: bytes in front.

bits 64

    times PAD int3              ; nobody comes here
entry:
    mov rbx, AT
access:
%if HOW == 0
    mov rax, [rbx]
%elif HOW == 1
    mov [rbx], rax
%else
    jmp rbx
%endif
past:
    ud2                         ; it did not
