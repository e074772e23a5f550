; SPDX-License-Identifier: MIT
; sysenter and sysexit: the page in ring 3, and the entry in ring 0.

%include "offsets.inc"
%include "task.inc"

bits 32
section .text

extern syscall_dispatch
extern user_check

; TASK 6.6: the code that fast_init copies to FAST_CALL_VA

; void fast_entry(void): named in MSR_SYSENTER_EIP, never called
; stack: esp is what MSR_SYSENTER_ESP says. Interrupts off.
global fast_entry
fast_entry:
    ; TASK 6.6: take the stack, check ebp, call syscall_dispatch, sysexit
    TASK_OPEN "6.6"
