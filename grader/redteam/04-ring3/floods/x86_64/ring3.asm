; SPDX-License-Identifier: MIT
; Goes in, and after each fault in again.

%include "offsets.inc"

bits 64
default rel

section .bss
alignb 8
again: resq 2

section .text

extern tss_set_kernel_stack

; void ring3_enter(uintptr_t entry, uintptr_t stack)
global ring3_enter
ring3_enter:
    mov eax, SEL_UDATA
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    push rax                    ; SS
    push rsi                    ; RSP
    push EFLAGS_FIXED | EFLAGS_IF
    push SEL_UCODE              ; CS
    push rdi                    ; RIP
    iretq

; unsigned ring3_run(uintptr_t entry, uintptr_t stack)
global ring3_run
ring3_run:
    mov [again], rdi
    mov [again + 8], rsi
    mov rdi, rsp
    call tss_set_kernel_stack

; void ring3_return(unsigned vector)
global ring3_return
ring3_return:
    mov rdi, [again]
    mov rsi, [again + 8]
    call ring3_enter
