; SPDX-License-Identifier: MIT
; syscall and sysret: the page in ring 3, and the entry in ring 0.

%include "offsets.inc"
%include "task.inc"

bits 64
default rel

section .bss
alignb 8
; TASK 6.6: what the entry needs before it has a stack

section .text

extern syscall_dispatch

; TASK 6.6: the code that fast_init copies to FAST_CALL_VA

; void fast_entry(void): named in MSR_LSTAR, never called
; rcx is rip of ring 3, r11 its rflags; rsp is still that of ring 3. Interrupts off.
global fast_entry
fast_entry:
    ; TASK 6.6: take the stack, call syscall_dispatch, sysret
    TASK_OPEN "6.6"
