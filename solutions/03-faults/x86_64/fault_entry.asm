; SPDX-License-Identifier: MIT
; Entries of the faults: from what the CPU pushed to a whole struct trap_frame.

%include "offsets.inc"
%include "task.inc"

bits 64
section .text

extern fault_dispatch

; Stack on entry, from the top down; the CPU has aligned it to 16 before, and pushes ss
; and rsp from any ring, but the error code only for some vectors:
;     ss  rsp  rflags  cs  rip  error       pushed by the CPU, 8 bytes each
; What the entries share may stand once, for each to jump to: fault_common, for one. A
; label `common` cannot be, as that is a word of NASM's own.

; void fault_entry_de(void), #DE: no error code
global fault_entry_de
fault_entry_de:
    ; BEGIN SOLUTION 3.1: complete the frame, call fault_dispatch, go back
    push 0                      ; stands for the error code
    push VEC_DE
    jmp fault_entry
    ; END SOLUTION 3.1

; void fault_entry_ud(void), #UD: no error code
global fault_entry_ud
fault_entry_ud:
    ; BEGIN SOLUTION 3.1: the same for #UD
    push 0
    push VEC_UD
    jmp fault_entry
    ; END SOLUTION 3.1

; void fault_entry_gp(void), #GP: with an error code
global fault_entry_gp
fault_entry_gp:
    ; BEGIN SOLUTION 3.1: the same for #GP
    push VEC_GP
    jmp fault_entry
    ; END SOLUTION 3.1

; void fault_entry_pf(void), #PF: with an error code
global fault_entry_pf
fault_entry_pf:
    ; BEGIN SOLUTION 3.1: the same for #PF
    push VEC_PF
    jmp fault_entry

; The rest, alike for all. Stack: ... rip (CPU), error (CPU or entry), vector (entry).
fault_entry:
    push rax                    ; there is no pusha in 64-bit mode
    push rcx
    push rdx
    push rbx
    push rbp
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15                    ; rsp is now a struct trap_frame *, and 16-aligned
    cld                         ; C expects DF clear
    mov rdi, rsp                ; the argument
    call fault_dispatch
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rbp
    pop rbx
    pop rdx
    pop rcx
    pop rax
    add rsp, 16                 ; vector and error code: iretq knows neither
    iretq                       ; iret alone would be the 32-bit one
    ; END SOLUTION 3.1
