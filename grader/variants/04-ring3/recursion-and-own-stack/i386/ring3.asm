; SPDX-License-Identifier: MIT
; Ring 3 by a frame that stands ready in memory; faults have a stack of their own.

%include "offsets.inc"

bits 32

section .data
align 4
start:                          ; what iretd pops
    dd 0                        ; EIP
    dd SEL_UCODE
    dd EFLAGS_IF | EFLAGS_FIXED
    dd 0                        ; ESP
    dd SEL_UDATA
waiting: dd 0                   ; 1 while a ring3_run waits

section .bss
align 16
    resb 8192
fault_stack:
caller_sp: resd 1

section .text

extern tss_set_kernel_stack

global ring3_enter
ring3_enter:
    mov eax, [esp + 4]
    mov [start], eax
    mov eax, [esp + 8]
    mov [start + 12], eax
    mov ax, SEL_UDATA
    mov gs, ax
    mov fs, ax
    mov es, ax
    mov ds, ax
    mov esp, start
    iretd

global ring3_run
ring3_run:
    pushfd
    pusha
    mov [caller_sp], esp
    mov dword [waiting], 1
    push fault_stack
    call tss_set_kernel_stack
    mov esp, [caller_sp]
    push dword [esp + 44]       ; stack: behind pusha, flags, return address, entry
    push dword [esp + 44]       ; entry
    call ring3_enter

global ring3_return
ring3_return:
    cmp dword [waiting], 1
    jne .nobody
    dec dword [waiting]
    mov eax, [esp + 4]
    mov esp, [caller_sp]
    mov [esp + 28], eax         ; where popa finds EAX
    popa
    popfd
.nobody:
    ret
