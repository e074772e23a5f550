; SPDX-License-Identifier: MIT
; A jump buffer, and a far return into ring 3.

%include "offsets.inc"

bits 32

struc buffer
    .eip: resd 1                ; 0: nobody waits
    .esp: resd 1
    .ebx: resd 1
    .esi: resd 1
    .edi: resd 1
    .ebp: resd 1
endstruc

section .bss
alignb 4
back: resb buffer_size

section .text

extern tss_set_kernel_stack

global ring3_enter
ring3_enter:
    mov ebp, esp
    mov ecx, SEL_UDATA
    mov ds, ecx
    mov es, ecx
    mov fs, ecx
    mov gs, ecx
    push ecx
    push dword [ebp + 8]
    push dword SEL_UCODE
    push dword [ebp + 4]
    sti                         ; from behind the next instruction on
    retf

global ring3_run
ring3_run:
    mov [back + buffer.ebx], ebx
    mov [back + buffer.esi], esi
    mov [back + buffer.edi], edi
    mov [back + buffer.ebp], ebp
    mov ebx, [esp + 4]
    mov esi, [esp + 8]
    pop dword [back + buffer.eip]
    mov [back + buffer.esp], esp
    sub esp, 16
    push esp
    call tss_set_kernel_stack
    mov [esp], esi              ; stack
    push ebx                    ; entry
    push dword 0                ; in the place of a return address
    jmp ring3_enter

global ring3_return
ring3_return:
    cmp dword [back + buffer.eip], 0
    je .none
    mov eax, [esp + 4]
    mov ebx, [back + buffer.ebx]
    mov esi, [back + buffer.esi]
    mov edi, [back + buffer.edi]
    mov ebp, [back + buffer.ebp]
    mov esp, [back + buffer.esp]
    xor ecx, ecx
    xchg ecx, [back + buffer.eip]
    jmp ecx
.none:
    ret
