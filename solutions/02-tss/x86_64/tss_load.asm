; SPDX-License-Identifier: MIT
; TR learns where the TSS is.

%include "offsets.inc"
%include "task.inc"

bits 64
section .text

; void tss_load(uint16_t selector)
; di: selector; stack: [rsp] return address (call)
; clobbers: nothing. Interrupts off.
global tss_load
tss_load:
    ; BEGIN SOLUTION 2.3: one instruction loads the task register
    ltr di
    ret
    ; END SOLUTION 2.3
