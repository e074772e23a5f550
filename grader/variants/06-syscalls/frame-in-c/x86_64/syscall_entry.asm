; SPDX-License-Identifier: MIT
; The entry: struct registers, then serve(registers, false).

%include "offsets.inc"

bits 64
section .text

extern serve
global syscall_entry
global serve_and_return

syscall_entry:
serve_and_return:
    push rax
    push rbx
    push rcx
    push rdx
    push rsi
    push rdi
    push rbp
    push r8
    push r9
    push r10
    push r11
    cld
    mov rdi, rsp
    xor esi, esi                ; fast or not makes no difference here
    call serve                  ; sixteen words so far: aligned
    pop r11
    pop r10
    pop r9
    pop r8
    pop rbp
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rbx
    pop rax
    iretq
