; SPDX-License-Identifier: MIT
; Into ring 3 with iretd, and back to the kernel after a fault.

%include "offsets.inc"
%include "task.inc"

bits 32

section .bss
align 4
resume_esp: resd 1              ; stack of the waiting ring3_run; 0: there is none

section .text

extern tss_set_kernel_stack

; void ring3_enter(uintptr_t entry, uintptr_t stack)
; stack: [esp+8] stack, [esp+4] entry (caller), [esp] return address (call)
; Does not return. Interrupts off here, on in ring 3.
global ring3_enter
ring3_enter:
    ; TASK 4.2: data segments, the frame that iretd expects, iretd
    TASK_OPEN "4.2"

; unsigned ring3_run(uintptr_t entry, uintptr_t stack)
; stack: [esp+8] stack, [esp+4] entry (caller), [esp] return address (call)
; clobbers: eax ecx edx. Interrupts off.
global ring3_run
ring3_run:
    ; TASK 4.3: note where to come back to, set the kernel stack, enter
    TASK_OPEN "4.3"

; void ring3_return(unsigned vector)
; stack: [esp+4] vector (caller), [esp] return address (call)
; Returns from ring3_run instead, if one waits. Interrupts off.
global ring3_return
ring3_return:
    ; TASK 4.3: take up the stack of ring3_run and return from there
    TASK_OPEN "4.3"
