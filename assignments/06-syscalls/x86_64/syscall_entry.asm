; SPDX-License-Identifier: MIT
; From int 0x80 in ring 3 to syscall_dispatch, and back.

%include "offsets.inc"
%include "task.inc"

bits 64
section .text

extern syscall_dispatch

; void syscall_entry(void): named in the gate, never called
; stack: ss rsp rflags cs rip, pushed by the CPU, aligned to 16 before. Interrupts off.
global syscall_entry
syscall_entry:
    ; TASK 6.1: keep the registers, call syscall_dispatch, go back
    TASK_OPEN "6.1"
