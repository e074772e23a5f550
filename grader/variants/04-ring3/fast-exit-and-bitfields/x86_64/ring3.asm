; SPDX-License-Identifier: MIT
; sysret into ring 3, and a stack for faults that is allocated once.

%include "offsets.inc"

bits 64
default rel

IA32_EFER equ 0xc0000080
EFER_SCE equ 1
IA32_STAR equ 0xc0000081        ; bits 63..48: SS is 8 above this, CS of 64 bits is 16

section .bss
alignb 8
resume_sp: resq 1
fault_stack: resq 1

section .text

extern kstack_alloc
extern tss_set_kernel_stack

global ring3_enter
ring3_enter:
    mov ecx, IA32_EFER
    rdmsr
    or eax, EFER_SCE
    wrmsr
    mov ecx, IA32_STAR
    xor eax, eax
    mov edx, (SEL_UDATA - 8) << 16 | SEL_KCODE
    wrmsr
    mov edx, SEL_UDATA
    mov ds, edx
    mov es, edx
    mov fs, edx
    mov gs, edx
    mov rcx, rdi                ; RIP
    mov r11, EFLAGS_FIXED | EFLAGS_IF
    mov rsp, rsi
    o64 sysret

global ring3_run
ring3_run:
    push rbx
    push rbp
    push r15
    push r14
    push r13
    push r12
    mov rbx, rdi
    mov rbp, rsi
    cmp qword [fault_stack], 0
    jne .enter
    sub rsp, 8
    call kstack_alloc
    mov [fault_stack], rax
    mov rdi, rax
    call tss_set_kernel_stack
    add rsp, 8
.enter:
    mov [resume_sp], rsp
    mov rdi, rbx
    mov rsi, rbp
    call ring3_enter

global ring3_return
ring3_return:
    mov eax, edi
    xor edx, edx
    xchg rdx, [resume_sp]
    or rdx, rdx
    jz .out
    mov rsp, rdx
    pop r12
    pop r13
    pop r14
    pop r15
    pop rbp
    pop rbx
.out:
    ret
