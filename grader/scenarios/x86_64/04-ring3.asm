; SPDX-License-Identifier: MIT
; Calls stage 04 as a caller that relies on every register it may rely on.

bits 64
default rel

KEPT equ 6                      ; registers pushed below

section .bss
align 8
global marked_sp
marked_sp: resq 1               ; the stack pointer at the call: the lowest live word

section .text

extern scenario_marks

; void scenario_call_marked(void (*fn)(void), uintptr_t first, uintptr_t second)
; rdi: fn, rsi: first, rdx: second; stack: [rsp] return address (call)
; clobbers: rax rcx rdx rsi rdi r8-r11, as C allows. Interrupts off.
global scenario_call_marked
scenario_call_marked:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov rax, rdi
    mov rdi, rsi
    mov rsi, rdx
    push qword [scenario_marks + 8 * KEPT] ; a live word of the kernel's stack, which
                                ; aligns it to 16 for the call
    mov [marked_sp], rsp
    mov rbx, [scenario_marks]
    mov rbp, [scenario_marks + 8]
    mov r12, [scenario_marks + 16]
    mov r13, [scenario_marks + 24]
    mov r14, [scenario_marks + 32]
    mov r15, [scenario_marks + 40]
    call rax
global scenario_marked_back
scenario_marked_back:           ; evidence: QEMU's record of the registers here
    mov rsp, [marked_sp]
    mov rdx, [rsp]              ; the live word
    lea rcx, [scenario_marked_word]
    cld
    cli
    jmp rcx                     ; begins a block that is recorded each time
global scenario_marked_word
scenario_marked_word:           ; evidence: rsp and rdx in its record
    add rsp, 8
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret
