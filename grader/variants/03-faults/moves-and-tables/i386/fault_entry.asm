; SPDX-License-Identifier: MIT
; Entries: room for the whole rest of the frame at once, filled by mov.

%include "offsets.inc"

bits 32
section .text

extern fault_dispatch

%macro ENTRY 3                  ; name, vector, bytes of the error code
global %1
%1:
    sub esp, 56 - %3
%if %3 == 0
    mov dword [esp + 52], 0
%endif
    mov dword [esp + 48], %2
    mov [esp + 44], eax
    jmp complete
%endmacro

complete:
    mov [esp + 40], ecx
    mov [esp + 36], edx
    mov [esp + 32], ebx
    mov [esp + 24], ebp
    mov [esp + 20], esi
    mov [esp + 16], edi
    mov [esp + 12], ds
    mov [esp + 8], es
    mov [esp + 4], fs
    mov [esp], gs
    mov ecx, ss                 ; always the kernel's here
    mov ds, ecx
    mov es, ecx
    mov fs, ecx
    mov gs, ecx
    mov eax, esp
    cld
    push eax
    call fault_dispatch
    pop eax
    mov gs, [esp]
    mov fs, [esp + 4]
    mov es, [esp + 8]
    mov edi, [esp + 16]
    mov esi, [esp + 20]
    mov ebp, [esp + 24]
    mov ebx, [esp + 32]
    mov edx, [esp + 36]
    mov ecx, [esp + 40]
    mov eax, [esp + 44]
    mov ds, [esp + 12]
    lea esp, [esp + 56]
    iret

ENTRY fault_entry_de, VEC_DE, 0
ENTRY fault_entry_ud, VEC_UD, 0
ENTRY fault_entry_gp, VEC_GP, 4
ENTRY fault_entry_pf, VEC_PF, 4
