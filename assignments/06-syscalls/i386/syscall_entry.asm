; SPDX-License-Identifier: MIT
; From int 0x80 in ring 3 to syscall_dispatch, and back.

%include "offsets.inc"
%include "task.inc"

bits 32
section .text

extern syscall_dispatch

; void syscall_entry(void): named in the gate, never called
; stack: ss esp eflags cs eip, pushed by the CPU. Interrupts off.
global syscall_entry
syscall_entry:
    ; TASK 6.1: keep the registers, call syscall_dispatch, go back
    TASK_OPEN "6.1"
