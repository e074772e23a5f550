; SPDX-License-Identifier: MIT
; The entry: pusha keeps all, and eax of it becomes the result.

%include "offsets.inc"

bits 32
section .text

extern syscall_dispatch

SAVED_EAX equ 28                ; in what pusha pushes

global syscall_entry
syscall_entry:
    push gs
    push fs
    push es
    push ds
    pusha
    push edi                    ; five arguments, once more
    push esi
    push edx
    push ecx
    push ebx
    mov ebx, SEL_KDATA
    mov gs, ebx
    mov fs, ebx
    mov es, ebx
    mov ds, ebx
    cld
    push esp                    ; arguments
    push eax                    ; number
    call syscall_dispatch
    add esp, 28                 ; number, arguments, and the five themselves
    mov [esp + SAVED_EAX], eax
    popa
    pop ds
    pop es
    pop fs
    pop gs
    iretd
