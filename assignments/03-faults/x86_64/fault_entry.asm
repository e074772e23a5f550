; SPDX-License-Identifier: MIT
; Entries of the faults: from what the CPU pushed to a whole struct trap_frame.

%include "offsets.inc"
%include "task.inc"

bits 64
section .text

extern fault_dispatch

; Stack on entry, from the top down; the CPU has aligned it to 16 before, and pushes ss
; and rsp from any ring, but the error code only for some vectors:
;     ss  rsp  rflags  cs  rip  error       pushed by the CPU, 8 bytes each
; What the entries share may stand once, for each to jump to: fault_common, for one. A
; label `common` cannot be, as that is a word of NASM's own.

; void fault_entry_de(void), #DE: no error code
global fault_entry_de
fault_entry_de:
    ; TASK 3.1: complete the frame, call fault_dispatch, go back
    TASK_OPEN "3.1"

; void fault_entry_ud(void), #UD: no error code
global fault_entry_ud
fault_entry_ud:
    ; TASK 3.1: the same for #UD
    TASK_OPEN "3.1"

; void fault_entry_gp(void), #GP: with an error code
global fault_entry_gp
fault_entry_gp:
    ; TASK 3.1: the same for #GP
    TASK_OPEN "3.1"

; void fault_entry_pf(void), #PF: with an error code
global fault_entry_pf
fault_entry_pf:
    ; TASK 3.1: the same for #PF
    TASK_OPEN "3.1"
