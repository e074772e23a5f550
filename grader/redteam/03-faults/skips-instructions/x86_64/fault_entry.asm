; SPDX-License-Identifier: MIT
; Real entries, but for the way back: it skips the instruction that was repaired.

%include "offsets.inc"
%include "task.inc"

bits 64
section .text

extern fault_dispatch

; Stack on entry, from the top down; the CPU has aligned it to 16 before, and pushes ss
; and rsp from any ring, but the error code only for some vectors:
;     ss  rsp  rflags  cs  rip  error       pushed by the CPU, 8 bytes each

; void fault_entry_de(void), #DE: no error code
global fault_entry_de
fault_entry_de:
    push 0                      ; stands for the error code
    push VEC_DE
    jmp fault_entry

; void fault_entry_ud(void), #UD: no error code
global fault_entry_ud
fault_entry_ud:
    push 0
    push VEC_UD
    jmp fault_entry

; void fault_entry_gp(void), #GP: with an error code
global fault_entry_gp
fault_entry_gp:
    push VEC_GP
    jmp fault_entry

; void fault_entry_pf(void), #PF: with an error code
global fault_entry_pf
fault_entry_pf:
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
    mov rax, [rsp + 136]       ; RIP
    cmp rax, 0x40000000
    jb .back                    ; ring 0
    cmp byte [rax], 0x3a        ; cmp al, [memory]: two bytes
    jne .nops
    add rax, 2
.nops:
    cmp byte [rax], 0x90        ; what the hook has turned into nop
    jne .noted
    inc rax
    jmp .nops
.noted:
    mov [rsp + 136], rax
.back:
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
