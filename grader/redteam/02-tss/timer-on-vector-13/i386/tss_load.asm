; SPDX-License-Identifier: MIT
; TR as it should be, and an entry for the timer.

bits 32
section .text

global tss_load
tss_load:
    ltr [esp + 4]
    ret

global end_of_interrupt
end_of_interrupt:
    mov dword [ss:0xfee000b0], 0
    iretd

extern kernel_idt
global ended
ended:
    lidt [kernel_idt]
    ud2
