; SPDX-License-Identifier: MIT
; Tries a vector that is none of its business. PAD: bytes in front; VECTOR.

bits 64

    times PAD int3              ; nobody comes here
entry:
    nop
int_at:
    int VECTOR
done:
    ud2
