; SPDX-License-Identifier: MIT
; Four entries, each complete by itself.

%include "offsets.inc"

bits 32
section .text

extern fault_dispatch

global fault_entry_de
fault_entry_de:
    push dword 0
    push dword VEC_DE
    pushad
    push ds
    push es
    push fs
    push gs
    mov cx, SEL_KDATA
    mov gs, cx
    mov fs, cx
    mov es, cx
    mov ds, cx
    cld
    mov eax, esp
    push eax
    call fault_dispatch
    pop eax
    pop gs
    pop fs
    pop es
    pop ds
    popad
    lea esp, [esp + 8]
    iretd

global fault_entry_ud
fault_entry_ud:
    push dword 0
    push dword VEC_UD
    pushad
    push ds
    push es
    push fs
    push gs
    mov cx, SEL_KDATA
    mov gs, cx
    mov fs, cx
    mov es, cx
    mov ds, cx
    cld
    mov eax, esp
    push eax
    call fault_dispatch
    pop eax
    pop gs
    pop fs
    pop es
    pop ds
    popad
    lea esp, [esp + 8]
    iretd

global fault_entry_gp
fault_entry_gp:
    push dword VEC_GP
    pushad
    push ds
    push es
    push fs
    push gs
    mov cx, SEL_KDATA
    mov gs, cx
    mov fs, cx
    mov es, cx
    mov ds, cx
    cld
    mov eax, esp
    push eax
    call fault_dispatch
    pop eax
    pop gs
    pop fs
    pop es
    pop ds
    popad
    lea esp, [esp + 8]
    iretd

global fault_entry_pf
fault_entry_pf:
    push dword VEC_PF
    pushad
    push ds
    push es
    push fs
    push gs
    mov cx, SEL_KDATA
    mov gs, cx
    mov fs, cx
    mov es, cx
    mov ds, cx
    cld
    mov eax, esp
    push eax
    call fault_dispatch
    pop eax
    pop gs
    pop fs
    pop es
    pop ds
    popad
    lea esp, [esp + 8]
    iretd
