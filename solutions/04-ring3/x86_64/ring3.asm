; SPDX-License-Identifier: MIT
; Into ring 3 with iretq, and back to the kernel after a fault.

%include "offsets.inc"
%include "task.inc"

bits 64
default rel

section .bss
align 8
resume_rsp: resq 1              ; stack of the waiting ring3_run; 0: there is none

section .text

extern tss_set_kernel_stack

; void ring3_enter(uintptr_t entry, uintptr_t stack)
; rdi: entry, rsi: stack; stack: [rsp] return address (call)
; Does not return. Interrupts off here, on in ring 3.
global ring3_enter
ring3_enter:
    ; BEGIN SOLUTION 4.2: data segments, the frame that iretq expects, iretq
    mov eax, SEL_UDATA          ; without meaning in 64-bit mode, but not the kernel's
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    push rax                    ; SS
    push rsi                    ; RSP
    push EFLAGS_FIXED | EFLAGS_IF ; IOPL 0
    push SEL_UCODE              ; CS
    push rdi                    ; RIP
    xor eax, eax                ; writing the low half clears the high one
    xor ebx, ebx
    xor ecx, ecx
    xor edx, edx
    xor esi, esi
    xor edi, edi
    xor ebp, ebp
    xor r8d, r8d
    xor r9d, r9d
    xor r10d, r10d
    xor r11d, r11d
    xor r12d, r12d
    xor r13d, r13d
    xor r14d, r14d
    xor r15d, r15d
    iretq                       ; iret alone would be the 32-bit one
    ; END SOLUTION 4.2

; unsigned ring3_run(uintptr_t entry, uintptr_t stack)
; rdi: entry, rsi: stack; stack: [rsp] return address (call)
; clobbers: rax rcx rdx rsi rdi r8-r11. Interrupts off.
global ring3_run
ring3_run:
    ; BEGIN SOLUTION 4.3: note where to come back to, set the kernel stack, enter
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov [resume_rsp], rsp
    mov rbx, rdi                ; survive the call: C keeps these two
    mov r12, rsi
    mov rdi, rsp
    and rdi, -16                ; the fault's frame goes below what is live here
    sub rsp, 8                  ; six registers and the return address: 8 are missing
    call tss_set_kernel_stack
    mov rdi, rbx
    mov rsi, r12
    call ring3_enter            ; does not return
    ; END SOLUTION 4.3

; void ring3_return(unsigned vector)
; edi: vector; stack: [rsp] return address (call)
; Returns from ring3_run instead, if one waits. Interrupts off.
global ring3_return
ring3_return:
    ; BEGIN SOLUTION 4.3: take up the stack of ring3_run and return from there
    mov eax, edi                ; the result
    mov rcx, [resume_rsp]
    test rcx, rcx
    jz .none
    mov qword [resume_rsp], 0
    mov rsp, rcx
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
.none:
    ret
    ; END SOLUTION 4.3
