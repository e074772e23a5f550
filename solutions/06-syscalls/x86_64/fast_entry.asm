; SPDX-License-Identifier: MIT
; syscall and sysret: the page in ring 3, and the entry in ring 0.

%include "offsets.inc"
%include "task.inc"

bits 64
default rel

section .bss
alignb 8
; BEGIN SOLUTION 6.6: what the entry needs before it has a stack
global fast_kernel_stack
fast_kernel_stack: resq 1       ; address of rsp0 in the TSS
user_rsp: resq 1                ; only until it lies on the kernel stack
; END SOLUTION 6.6

section .text

extern syscall_dispatch

; BEGIN SOLUTION 6.6: the code that fast_init copies to FAST_CALL_VA
; Called from ring 3 like a function, so it must not depend on where it lies.
; stack: [rsp] return address (call)
global fast_page
fast_page:
    syscall                     ; rcx and r11 are lost: rip and rflags
    ret
global fast_page_end
fast_page_end:
; END SOLUTION 6.6

; void fast_entry(void): named in MSR_LSTAR, never called
; rcx is rip of ring 3, r11 its rflags; rsp is still that of ring 3. Interrupts off.
global fast_entry
fast_entry:
    ; BEGIN SOLUTION 6.6: take the stack, call syscall_dispatch, sysret
    mov [user_rsp], rsp         ; nobody can come in between: interrupts are off
    mov rsp, [fast_kernel_stack]
    mov rsp, [rsp]              ; rsp0: the kernel stack of the running thread
    push qword [user_rsp]
    push rcx
    push r11
    push r9
    push r8                     ; the arguments, the last one first: an array
    push r10
    push rdx
    push rsi
    push rdi
    mov rsi, rsp                ; arguments
    mov rdi, rax                ; number
    sub rsp, 8                  ; nine words so far: aligns to 16
    call syscall_dispatch       ; rax is the result from here on
    add rsp, 8
    pop rdi
    pop rsi
    pop rdx
    pop r10
    pop r8
    pop r9
    pop r11
    pop rcx
    pop rsp
    o64 sysret
    ; END SOLUTION 6.6
