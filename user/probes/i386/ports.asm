; SPDX-License-Identifier: MIT
; Reads every STEPth of the 65,536 ports from FIRST on, then executes ud2.
; PAD: bytes in front.
; The read is one byte long, and whoever takes its fault goes on behind it.

bits 32

    times PAD int3              ; nobody comes here
entry:
    mov edx, FIRST
port:
    in al, dx
    add dx, STEP
    jnc port
done:
    ud2
