; SPDX-License-Identifier: MIT
; Ring-3 code that loops for ever. PAD: bytes in front; MARK: what eax shows.

bits 64

    times PAD int3              ; nobody comes here
entry:
    mov eax, MARK
spin:
    inc ecx
    jmp spin
