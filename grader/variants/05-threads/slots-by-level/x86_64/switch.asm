; SPDX-License-Identifier: MIT
; The frame pointer stays the frame pointer; new threads come with full registers.

%include "offsets.inc"

bits 64
default rel
section .text

extern tss_set_kernel_stack
extern timer_interrupt
extern thread_exit
extern ring3_enter

; void thread_switch(struct thread *prev, struct thread *next)
global thread_switch
thread_switch:
    push rbp
    mov rbp, rsp
    push r12
    push r13
    push r14
    push r15
    push rbx
    mov r12, rdi                ; prev
    mov r13, rsi                ; next
    mov rdi, [r13 + THREAD_KERNEL_TOP]
    test rdi, rdi
    jz .exchange
    sub rsp, 8
    call tss_set_kernel_stack   ; still on the stack of prev
    add rsp, 8
.exchange:
    mov [r12 + THREAD_SP], rsp
    mov rsp, [r13 + THREAD_SP]
    pop rbx
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    ret

; uintptr_t user_frame(uintptr_t top, uintptr_t entry, uintptr_t stack)
global user_frame
user_frame:
    lea rcx, [run_user]
    jmp frame

; uintptr_t kernel_frame(uintptr_t top, void (*function)(void *), void *argument)
global kernel_frame
kernel_frame:
    lea rcx, [run_kernel]
frame:
    lea rax, [rdi - 64]
    mov [rax], rsi              ; rbx
    mov qword [rax + 8], 0
    mov qword [rax + 16], 0
    mov qword [rax + 24], 0
    mov [rax + 32], rdx         ; r12
    mov qword [rax + 40], 0
    mov [rax + 48], rcx         ; where ret goes
    ret

run_kernel:
    sti
    sub rsp, 8
    mov rdi, r12
    call rbx
    call thread_exit

run_user:
    sub rsp, 8
    mov rdi, rbx
    mov rsi, r12
    call ring3_enter

; void timer_entry(void)
global timer_entry
timer_entry:
    cli                         ; a trap gate would do as well
    push rbp
    mov rbp, rsp
    push rax
    push rcx
    push rdx
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11                    ; the others C preserves
    and rsp, -16
    cld
    call timer_interrupt
    lea rsp, [rbp - 9 * 8]
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rax
    pop rbp
    iretq
