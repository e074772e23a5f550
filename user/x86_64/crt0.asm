; SPDX-License-Identifier: MIT
; The first bytes of a user program, and its first instructions.

%include "offsets.inc"

bits 64
default rel

extern main
extern exit
extern program_args
extern program_base
extern program_end

section .header                 ; struct program_header of abi/program.h
    db "RINGLAB", 0
    dq program_base
    dq _start
    dq program_end

section .text

; Ring 3 starts here, with an empty stack aligned to 16.
global _start
_start:
    xor ebp, ebp                ; ends the chain of frame pointers
    mov rax, program_args
    mov rdi, [rax]              ; argc
    lea rsi, [rax + 8]          ; argv
    call main
    mov rdi, rax                ; main's result is the program's
    call exit                   ; does not return
