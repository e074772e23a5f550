; SPDX-License-Identifier: MIT
; TR learns where the TSS is.

%include "offsets.inc"
%include "task.inc"

bits 32
section .text

; void tss_load(uint16_t selector)
; stack: [esp+4] selector (caller), [esp] return address (call)
; clobbers: nothing. Interrupts off.
global tss_load
tss_load:
    ; BEGIN SOLUTION 2.3: one instruction loads the task register
    ltr [esp + 4]
    ret
    ; END SOLUTION 2.3
