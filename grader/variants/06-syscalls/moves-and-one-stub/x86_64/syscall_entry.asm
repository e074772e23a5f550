; SPDX-License-Identifier: MIT
; The entry: one piece of stack, filled by moves.

%include "offsets.inc"

bits 64
section .text

extern syscall_dispatch

ARRAY equ 0                     ; rdi rsi rdx r10 r8
OTHERS equ 40                   ; rcx r9 r11
ROOM equ 72                     ; five words lie above it: aligns to 16

global syscall_entry
syscall_entry:
    sub rsp, ROOM
    mov [rsp + ARRAY], rdi
    mov [rsp + ARRAY + 8], rsi
    mov [rsp + ARRAY + 16], rdx
    mov [rsp + ARRAY + 24], r10
    mov [rsp + ARRAY + 32], r8
    mov [rsp + OTHERS], rcx
    mov [rsp + OTHERS + 8], r9
    mov [rsp + OTHERS + 16], r11
    cld
    mov rdi, rax
    lea rsi, [rsp + ARRAY]
    call syscall_dispatch
    mov r11, [rsp + OTHERS + 16]
    mov r9, [rsp + OTHERS + 8]
    mov rcx, [rsp + OTHERS]
    mov r8, [rsp + ARRAY + 32]
    mov r10, [rsp + ARRAY + 24]
    mov rdx, [rsp + ARRAY + 16]
    mov rsi, [rsp + ARRAY + 8]
    mov rdi, [rsp + ARRAY]
    add rsp, ROOM
    iretq
