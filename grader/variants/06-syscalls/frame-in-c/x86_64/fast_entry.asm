; SPDX-License-Identifier: MIT
; syscall: what the gate would have pushed is pushed here, and iretq goes back.

%include "offsets.inc"

bits 64
default rel

section .bss
alignb 8
global fast_kernel_stack
fast_kernel_stack: resq 1       ; address of rsp0 in the TSS
user_rsp: resq 1

section .text

extern serve_and_return

global fast_page
fast_page:
    syscall
    ret
global fast_page_end
fast_page_end:

global fast_entry
fast_entry:
    mov [user_rsp], rsp
    mov rsp, [fast_kernel_stack]
    mov rsp, [rsp]
    push qword SEL_UDATA
    push qword [user_rsp]
    push r11
    push qword SEL_UCODE
    push rcx
    jmp serve_and_return
