; SPDX-License-Identifier: MIT
; Entries behind trap gates: cli comes first. #DF has its entry here, too.

bits 64
section .text

extern fault_step
extern double_fault_step

%macro WITHOUT_CODE 2
global fault_entry_%1
fault_entry_%1:
    cli
    push byte 0
    push byte %2
    jmp save
%endmacro

%macro WITH_CODE 2
global fault_entry_%1
fault_entry_%1:
    cli
    push byte %2
    jmp save
%endmacro

WITHOUT_CODE de, 0
WITHOUT_CODE ud, 6
WITH_CODE gp, 13
WITH_CODE pf, 14

%macro PUSH_ALL 1-*
%rep %0
    push %1
%rotate 1
%endrep
%endmacro

%macro POP_ALL 1-*
%rep %0
%rotate -1
    pop %1
%endrep
%endmacro

%define ORDER rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15

save:
    PUSH_ALL ORDER
    mov rdi, rsp
    cld
    call fault_step
    POP_ALL ORDER
    lea rsp, [rsp + 16]
    iretq

; The entry of #DF: the same frame, and no way back.
global double_fault_task
double_fault_task:
    push byte 8
    PUSH_ALL ORDER
    mov rdi, rsp
    xor ebp, ebp
    cld
    call double_fault_step
