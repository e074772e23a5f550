; SPDX-License-Identifier: MIT
; A frame of ring 3, made up, and a jump to the gate of #GP: no ring 3 anywhere.

%include "offsets.inc"

bits 64
default rel

section .bss
alignb 8
resume: resq 1
idtr: resb 10

section .text

; unsigned ring3_run(uintptr_t entry, uintptr_t stack)
global ring3_enter
global ring3_run
ring3_enter:
ring3_run:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov [resume], rsp
    push SEL_UDATA              ; as if the CPU had come from ring 3
    push rsi
    push EFLAGS_FIXED | EFLAGS_IF
    push SEL_UCODE
    push rdi
    push 0                      ; the error code
    sidt [idtr]
    mov rax, [idtr + 2]
    mov ecx, [rax + 16 * VEC_GP + 4]
    mov cx, [rax + 16 * VEC_GP]
    jmp rcx                     ; the kernel lies below 4 GiB

; void ring3_return(unsigned vector)
global ring3_return
ring3_return:
    mov eax, edi
    mov rcx, [resume]
    mov qword [resume], 0
    jrcxz .none
    mov rsp, rcx
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
.none:
    ret
