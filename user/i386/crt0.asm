; SPDX-License-Identifier: MIT
; The first bytes of a user program, and its first instructions.

%include "offsets.inc"

bits 32

extern main
extern exit
extern program_args
extern program_base
extern program_end

section .header                 ; struct program_header of abi/program.h
    db "RINGLAB", 0
    dd program_base
    dd _start
    dd program_end

section .text

; Ring 3 starts here, with an empty stack aligned to 16.
global _start
_start:
    xor ebp, ebp                ; ends the chain of frame pointers
    mov eax, program_args
    lea ecx, [eax + 4]
    sub esp, 8                  ; keeps the stack aligned to 16 at the call
    push ecx                    ; argv
    push dword [eax]            ; argc
    call main
    mov [esp], eax              ; main's result is the program's
    call exit                   ; does not return
