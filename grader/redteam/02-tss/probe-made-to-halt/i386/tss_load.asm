; SPDX-License-Identifier: MIT
; TR, as it should be.

bits 32
section .text

global tss_load
tss_load:
    ltr [esp + 4]
    ret
