; SPDX-License-Identifier: MIT
; Ring-3 code that faults at its first instruction. PAD: bytes in front.

bits 64

    times PAD int3              ; nobody comes here
entry:
    ud2
