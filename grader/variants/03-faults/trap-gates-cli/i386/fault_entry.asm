; SPDX-License-Identifier: MIT
; Entries behind trap gates: cli comes first. #DF has its entry here, too.

bits 32
section .text

extern fault_step
extern double_fault_step

%macro WITHOUT_CODE 2
global fault_entry_%1
fault_entry_%1:
    cli
    push byte 0
    push byte %2
    jmp short save
%endmacro

%macro WITH_CODE 2
global fault_entry_%1
fault_entry_%1:
    cli
    push byte %2
    jmp short save
%endmacro

WITHOUT_CODE de, 0
WITHOUT_CODE ud, 6
WITH_CODE gp, 13
WITH_CODE pf, 14

save:
    push eax
    push ecx
    push edx
    push ebx
    push byte 0                 ; nobody reads it
    push ebp
    push esi
    push edi
    sub esp, 16
    mov word [esp + 12], ds
    mov word [esp + 8], es
    mov word [esp + 4], fs
    mov word [esp], gs
    mov ebx, esp
    push ss
    pop ds
    push ds
    pop es
    push ds
    pop fs
    push ds
    pop gs
    cld
    push ebx
    call fault_step
    mov esp, ebx
    mov gs, [esp]
    mov fs, [esp + 4]
    mov es, [esp + 8]
    mov ds, [esp + 12]
    add esp, 16
    pop edi
    pop esi
    pop ebp
    pop ebx                     ; the word of nobody
    pop ebx
    pop edx
    pop ecx
    pop eax
    add esp, 8
    iretd

; Where the task of the double fault starts.
global double_fault_task
double_fault_task:
    xor ebp, ebp
    cld
    call double_fault_step
