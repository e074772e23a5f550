; SPDX-License-Identifier: MIT
; Faults on purpose, one instruction each.

bits 64
default rel

; The address behind the instruction that faults next, into demo_resume. clobbers: rax
%macro RESUME_AT 1
    lea rax, [%1]
    mov [demo_resume], rax
%endmacro

section .bss
align 8
global demo_resume
demo_resume: resq 1

section .text

; void demo_divide(void); clobbers: rax rcx rdx
global demo_divide
demo_divide:
    RESUME_AT .behind
    xor ecx, ecx
    xor edx, edx
    div ecx                     ; #DE
.behind:
    ret

; void demo_undefined(void); clobbers: rax
global demo_undefined
demo_undefined:
    RESUME_AT .behind
    ud2                         ; #UD
.behind:
    ret

; void demo_selector(void); clobbers: rax rcx
global demo_selector
demo_selector:
    RESUME_AT .behind
    mov ecx, 0x7ff8             ; index 4095, GDT, RPL 0
    mov fs, ecx                 ; #GP
.behind:
    ret

; void demo_read(uintptr_t va)
; rdi: va; clobbers: rax
global demo_read
demo_read:
    RESUME_AT .behind
    mov rax, [rdi]              ; #PF
.behind:
    ret

; void demo_write(uintptr_t va)
; rdi: va; clobbers: rax
global demo_write
demo_write:
    RESUME_AT .behind
    mov [rdi], rdi              ; #PF
.behind:
    ret

; void demo_overflow(void): does not return
global demo_overflow
demo_overflow:
    push rbp                    ; in the end #PF, which cannot be pushed either: #DF
    jmp demo_overflow
