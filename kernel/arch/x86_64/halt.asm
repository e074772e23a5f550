; SPDX-License-Identifier: MIT
; The places where a kernel ends; the grader recognises them by their addresses.

bits 64
section .text

; void NAME(void): interrupts off, halted, for good; an NMI only halts it again.
%macro HALT_AT 1
global %1
%1:
    cli
.again:
    hlt
    jmp .again
%endmacro

HALT_AT cpu_halt_forever
HALT_AT panic_halt
HALT_AT task_open_halt
HALT_AT scenario_done
