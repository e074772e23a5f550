; SPDX-License-Identifier: MIT
; One access to the address AT, which has to fault. HOW: 0 reads, 1 writes, 2 jumps
; there. PAD: bytes in front.

bits 32

    times PAD int3              ; nobody comes here
entry:
    mov ebx, AT
access:
%if HOW == 0
    mov eax, [ebx]
%elif HOW == 1
    mov [ebx], eax
%else
    jmp ebx
%endif
past:
    ud2                         ; it did not
