; SPDX-License-Identifier: MIT
; A jump buffer, and a far return into ring 3.

%include "offsets.inc"

bits 64
default rel

struc buffer
    .rip: resq 1                ; 0: nobody waits
    .rsp: resq 1
    .rbx: resq 1
    .rbp: resq 1
    .r12: resq 1
    .r13: resq 1
    .r14: resq 1
    .r15: resq 1
endstruc

section .bss
alignb 8
back: resb buffer_size

section .text

extern tss_set_kernel_stack

global ring3_enter
ring3_enter:
    xor eax, eax                ; null selectors will do
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    push SEL_UDATA
    push rsi
    push SEL_UCODE
    push rdi
    sti                         ; from behind the next instruction on
    retfq

global ring3_run
ring3_run:
    mov [back + buffer.rbx], rbx
    mov [back + buffer.rbp], rbp
    mov [back + buffer.r12], r12
    mov [back + buffer.r13], r13
    mov [back + buffer.r14], r14
    mov [back + buffer.r15], r15
    mov rbx, rdi
    mov rbp, rsi
    pop qword [back + buffer.rip]
    mov [back + buffer.rsp], rsp
    sub rsp, 16
    mov rdi, rsp
    call tss_set_kernel_stack
    mov rdi, rbx
    mov rsi, rbp
    jmp ring3_enter

global ring3_return
ring3_return:
    cmp qword [back + buffer.rip], 0
    je .none
    mov eax, edi
    mov rbx, [back + buffer.rbx]
    mov rbp, [back + buffer.rbp]
    mov r12, [back + buffer.r12]
    mov r13, [back + buffer.r13]
    mov r14, [back + buffer.r14]
    mov r15, [back + buffer.r15]
    mov rsp, [back + buffer.rsp]
    xor ecx, ecx
    xchg rcx, [back + buffer.rip]
    jmp rcx
.none:
    ret
