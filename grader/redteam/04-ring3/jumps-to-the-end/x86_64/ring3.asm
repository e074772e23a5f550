; SPDX-License-Identifier: MIT
; Leaves everything to C, which ends at once.

bits 64
section .text

extern cheat_run
extern cheat_return

global ring3_enter
ring3_enter:
    jmp cheat_run

global ring3_run
ring3_run:
    jmp cheat_run

global ring3_return
ring3_return:
    jmp cheat_return
