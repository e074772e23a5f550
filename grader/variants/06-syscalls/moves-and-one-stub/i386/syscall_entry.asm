; SPDX-License-Identifier: MIT
; The entry: one piece of stack, filled by moves.

%include "offsets.inc"

bits 32
section .text

extern syscall_dispatch

NUMBER equ 0                    ; what syscall_dispatch is given
POINTER equ 4
AT_EBX equ 8                       ; the array of arguments
AT_ECX equ 12
AT_EDX equ 16
AT_ESI equ 20
AT_EDI equ 24
AT_EBP equ 28
SEGMENTS equ 32                 ; ds es fs gs, 2 bytes each
ROOM equ 40

global syscall_entry
syscall_entry:
    sub esp, ROOM
    mov [ss:esp + NUMBER], eax
    mov [ss:esp + AT_EBX], ebx
    mov [ss:esp + AT_ECX], ecx
    mov [ss:esp + AT_EDX], edx
    mov [ss:esp + AT_ESI], esi
    mov [ss:esp + AT_EDI], edi
    mov [ss:esp + AT_EBP], ebp
    mov [ss:esp + SEGMENTS], ds
    mov [ss:esp + SEGMENTS + 2], es
    mov [ss:esp + SEGMENTS + 4], fs
    mov [ss:esp + SEGMENTS + 6], gs
    mov ebp, ss                 ; the CPU has loaded the kernel's data segment there
    mov ds, ebp
    mov es, ebp
    mov fs, ebp
    mov gs, ebp
    cld
    lea edx, [esp + AT_EBX]
    mov [esp + POINTER], edx
    call syscall_dispatch
    mov ebx, [esp + AT_EBX]
    mov ecx, [esp + AT_ECX]
    mov edx, [esp + AT_EDX]
    mov esi, [esp + AT_ESI]
    mov edi, [esp + AT_EDI]
    mov ebp, [esp + AT_EBP]
    mov gs, [esp + SEGMENTS + 6]
    mov fs, [esp + SEGMENTS + 4]
    mov es, [esp + SEGMENTS + 2]
    mov ds, [esp + SEGMENTS]
    add esp, ROOM
    iretd
