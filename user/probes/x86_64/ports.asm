; SPDX-License-Identifier: MIT
; Reads each of the 65,536 ports once, then executes ud2. PAD: bytes in front.
; The read is one byte long, and whoever takes its fault goes on behind it.

bits 64

    times PAD int3              ; nobody comes here
entry:
    xor edx, edx
port:
    in al, dx
    inc dx
    jnz port
done:
    ud2
