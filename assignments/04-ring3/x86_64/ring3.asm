; SPDX-License-Identifier: MIT
; Into ring 3 with iretq, and back to the kernel after a fault.

%include "offsets.inc"
%include "task.inc"

bits 64
default rel

section .bss
align 8
resume_rsp: resq 1              ; stack of the waiting ring3_run; 0: there is none

section .text

extern tss_set_kernel_stack

; void ring3_enter(uintptr_t entry, uintptr_t stack)
; rdi: entry, rsi: stack; stack: [rsp] return address (call)
; Does not return. Interrupts off here, on in ring 3.
global ring3_enter
ring3_enter:
    ; TASK 4.2: data segments, the frame that iretq expects, iretq
    TASK_OPEN "4.2"

; unsigned ring3_run(uintptr_t entry, uintptr_t stack)
; rdi: entry, rsi: stack; stack: [rsp] return address (call)
; clobbers: rax rcx rdx rsi rdi r8-r11. Interrupts off.
global ring3_run
ring3_run:
    ; TASK 4.3: note where to come back to, set the kernel stack, enter
    TASK_OPEN "4.3"

; void ring3_return(unsigned vector)
; edi: vector; stack: [rsp] return address (call)
; Returns from ring3_run instead, if one waits. Interrupts off.
global ring3_return
ring3_return:
    ; TASK 4.3: take up the stack of ring3_run and return from there
    TASK_OPEN "4.3"
