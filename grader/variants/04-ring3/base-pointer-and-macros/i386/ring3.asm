; SPDX-License-Identifier: MIT
; The way into ring 3 and back with base pointers.

%include "offsets.inc"

bits 32

; The words of a frame, from SS down to EIP.
%macro PUSH_EACH 1-*
%rep %0
    push dword %1
%rotate 1
%endrep
%endmacro

section .data
align 4
base: dd -1                     ; EBP of the waiting ring3_run; -1: there is none

section .text

extern tss_set_kernel_stack

global ring3_enter
ring3_enter:
    push ebp
    mov ebp, esp
    push dword SEL_UDATA
    mov es, [esp]
    mov fs, [esp]
    mov gs, [esp]
    pop ds
    pushfd
    pop ecx
    or ecx, EFLAGS_IF
    PUSH_EACH SEL_UDATA, [ebp + 12], ecx, SEL_UCODE, [ebp + 8]
    iret

global ring3_run
ring3_run:
    enter 16, 0
    mov [ebp - 4], ebx
    mov [ebp - 8], esi
    mov [ebp - 12], edi
    mov [base], ebp
    lea eax, [esp - 64]
    PUSH_EACH eax
    call tss_set_kernel_stack
    PUSH_EACH [ebp + 12], [ebp + 8]
    call ring3_enter

global ring3_return
ring3_return:
    cmp dword [base], -1
    jz .none
    mov eax, [esp + 4]
    mov ebp, [base]
    mov ebx, [ebp - 4]
    mov esi, [ebp - 8]
    mov edi, [ebp - 12]
    or dword [base], -1
    leave
.none:
    ret
