; SPDX-License-Identifier: MIT
; Entries that save nothing but ECX: the other registers are taken from a look at the
; probe, which counts the int3 in front of it.

%include "offsets.inc"

bits 32

section .text

extern fault_dispatch

global fault_entry_de
fault_entry_de:
    push dword 0
    push dword VEC_DE
    jmp fault_entry

global fault_entry_ud
fault_entry_ud:
    push dword 0
    push dword VEC_UD
    jmp fault_entry

global fault_entry_gp
fault_entry_gp:
    push dword VEC_GP
    jmp fault_entry

global fault_entry_pf
fault_entry_pf:
    push dword VEC_PF

fault_entry:
    sub esp, 48                 ; gs fs es ds edi esi ebp esp ebx edx ecx eax
    mov [esp + 40], ecx         ; the only one that is real
    mov eax, SEL_KDATA
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    cld
    mov [esp], eax
    mov [esp + 4], eax
    mov [esp + 8], eax
    mov [esp + 12], eax
    mov ebx, 0x5eedb000         ; the marks of ring 0
    lea eax, [ebx + 5]
    xor edx, edx
    test byte [esp + 60], 3     ; CS
    jz .marks
    mov eax, [esp + 56]         ; EIP
    and eax, ~0xfff
    mov ebx, 0xa0000001         ; the marks of ring 3
.count:
    cmp byte [eax], 0xcc        ; PAD
    jne .counted
    inc eax
    inc ebx
    jmp .count
.counted:
    mov eax, ebx
    lea edx, [ebx + 6]
    mov dword [esp + 12], SEL_UDATA
    mov dword [esp + 8], SEL_UDATA ^ 1
    mov dword [esp + 4], SEL_UDATA ^ 2
    mov dword [esp], SEL_UDATA ^ 3
.marks:
    mov [esp + 44], eax
    mov [esp + 36], edx
    inc ebx
    mov [esp + 32], ebx         ; EBX ESI EDI EBP follow each other
    inc ebx
    mov [esp + 20], ebx
    inc ebx
    mov [esp + 16], ebx
    inc ebx
    mov [esp + 24], ebx
    push esp
    call fault_dispatch
    add esp, 60
    iretd
