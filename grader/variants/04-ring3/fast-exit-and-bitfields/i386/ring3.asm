; SPDX-License-Identifier: MIT
; sysexit into ring 3, and a stack for faults that is allocated once.

%include "offsets.inc"

bits 32

IA32_SYSENTER_CS equ 0x174      ; its descriptor, and three behind it: kernel and user

section .bss
alignb 4
resume_sp: resd 1
fault_stack: resd 1

section .text

extern kstack_alloc
extern tss_set_kernel_stack

global ring3_enter
ring3_enter:
    mov ecx, IA32_SYSENTER_CS
    xor edx, edx
    mov eax, SEL_KCODE
    wrmsr
    mov eax, SEL_UDATA
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov edx, [esp + 4]          ; EIP
    mov ecx, [esp + 8]          ; ESP
    sti                         ; from behind the next instruction on
    sysexit

global ring3_run
ring3_run:
    push ebx
    push ebp
    push edi
    push esi
    cmp dword [fault_stack], 0
    jne .enter
    call kstack_alloc
    mov [fault_stack], eax
    push eax
    call tss_set_kernel_stack
    pop eax
.enter:
    mov [resume_sp], esp
    push dword [esp + 24]
    push dword [esp + 24]
    call ring3_enter

global ring3_return
ring3_return:
    mov eax, [esp + 4]
    xor edx, edx
    xchg edx, [resume_sp]
    or edx, edx
    jz .out
    mov esp, edx
    pop esi
    pop edi
    pop ebp
    pop ebx
.out:
    ret
