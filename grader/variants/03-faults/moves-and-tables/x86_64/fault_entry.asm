; SPDX-License-Identifier: MIT
; Entries: room for the whole rest of the frame at once, filled by mov.

%include "offsets.inc"

bits 64
section .text

extern fault_dispatch

%macro ENTRY 3                  ; name, vector, bytes of the error code
global %1
%1:
    sub rsp, 136 - %3
%if %3 == 0
    mov qword [rsp + 128], 0
%endif
    mov qword [rsp + 120], %2
    mov [rsp + 112], rax
    jmp complete
%endmacro

complete:
    mov [rsp + 104], rcx
    mov [rsp + 96], rdx
    mov [rsp + 88], rbx
    mov [rsp + 80], rbp
    mov [rsp + 72], rsi
    mov [rsp + 64], rdi
    mov [rsp + 56], r8
    mov [rsp + 48], r9
    mov [rsp + 40], r10
    mov [rsp + 32], r11
    mov [rsp + 24], r12
    mov [rsp + 16], r13
    mov [rsp + 8], r14
    mov [rsp], r15
    cld
    mov rbx, rsp                ; C keeps it
    mov rdi, rsp
    and rsp, -16
    call fault_dispatch
    mov rsp, rbx
    mov r15, [rsp]
    mov r14, [rsp + 8]
    mov r13, [rsp + 16]
    mov r12, [rsp + 24]
    mov r11, [rsp + 32]
    mov r10, [rsp + 40]
    mov r9, [rsp + 48]
    mov r8, [rsp + 56]
    mov rdi, [rsp + 64]
    mov rsi, [rsp + 72]
    mov rbp, [rsp + 80]
    mov rbx, [rsp + 88]
    mov rdx, [rsp + 96]
    mov rcx, [rsp + 104]
    mov rax, [rsp + 112]
    lea rsp, [rsp + 136]
    iretq

ENTRY fault_entry_de, VEC_DE, 0
ENTRY fault_entry_ud, VEC_UD, 0
ENTRY fault_entry_gp, VEC_GP, 8
ENTRY fault_entry_pf, VEC_PF, 8
