; SPDX-License-Identifier: MIT
; Faults that are meant to happen, each at a label of its own.

%include "offsets.inc"

bits 64
default rel

PUSHES equ 1024                 ; a power of two, and less than a stack has words
MARK equ 0x5eedb00100000000     ; to be found again in the frame

section .bss
align 8
try_rsp: resq 1

section .text

extern scenario_absent_va
extern scenario_far_ring3

; void scenario_try(uintptr_t target, uintptr_t stack)
; rdi: target, rsi: stack; stack: [rsp] return address (call)
; clobbers: rax rcx rdx rsi rdi r8-r11. Interrupts off.
global scenario_try
scenario_try:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov [try_rsp], rsp
    mov rbx, MARK + 1
    lea rbp, [rbx + 1]
    lea r12, [rbx + 2]
    lea r13, [rbx + 3]
    lea r14, [rbx + 4]
    lea r15, [rbx + 5]
    test rsi, rsi
    jz .ring0
    sub rsp, 8                  ; 16-aligned at the call
    sti                         ; the gate has to clear IF; every IRQ is masked
    call scenario_far_ring3
.ring0:
    mov ecx, edi
    lea rax, [rbx + 6]
    lea r8, [rbx + 7]
    lea r9, [rbx + 8]
    lea r10, [rbx + 9]
    lea r11, [rbx + 10]
    lea rdx, [provoke_table]
    jmp [rdx + rcx * 8]

; void scenario_try_end(void): back to the caller of scenario_try
global scenario_try_end
scenario_try_end:
    mov rsp, [try_rsp]
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret

; void scenario_record(void)
; Leaves DF clear, so that a set one shows in the record and nowhere else.
global scenario_record
scenario_record:
global scenario_record_at
scenario_record_at:
    int3
    cld
    ret

; The gate of #BP: the record is made when the CPU comes here, there is nothing to do.
global scenario_entry_record
scenario_entry_record:
    iretq

; void scenario_touch(uintptr_t va)
; rdi: va; clobbers: rax rcx rdx rsi rdi r8-r11
global scenario_touch
scenario_touch:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov rax, MARK + 17          ; marks, to be found again behind the fault
    lea rcx, [rax + 1]
    lea rdx, [rax + 2]
    lea rbx, [rax + 3]
    lea rbp, [rax + 4]
    lea rsi, [rax + 5]
    lea r8, [rax + 6]
    lea r9, [rax + 7]
    lea r10, [rax + 8]
    lea r11, [rax + 9]
    lea r12, [rax + 10]
    lea r13, [rax + 11]
    lea r14, [rax + 12]
    lea r15, [rax + 13]
global scenario_touch_at
scenario_touch_at:
    cmp al, [rdi]
global scenario_touch_next
scenario_touch_next:
    int3
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret

; The label of each ends in _at: the address that the CPU must record.
provoke_de:
    xor ecx, ecx
    xor edx, edx
global scenario_provoke_de_at
scenario_provoke_de_at:
    div ecx

global scenario_provoke_ud_at
scenario_provoke_ud_at:
    ud2

provoke_gp:
    mov ecx, 0x7ff8             ; an index far behind any GDT of ours
global scenario_provoke_gp_at
scenario_provoke_gp_at:
    mov fs, ecx

provoke_pf_read:
    mov rcx, [scenario_absent_va]
global scenario_provoke_pf_read_at
scenario_provoke_pf_read_at:
    mov rdx, [rcx]

provoke_pf_write:
    mov rcx, [scenario_absent_va]
global scenario_provoke_pf_write_at
scenario_provoke_pf_write_at:
    mov [rcx], rdx

provoke_pf_text:
    lea rcx, [scenario_try]
global scenario_provoke_pf_text_at
scenario_provoke_pf_text_at:
    mov [rcx], rdx

; void scenario_overflow(uintptr_t top, uintptr_t skip)
; rdi: top, rsi: skip
global scenario_overflow
scenario_overflow:
    mov rsp, rdi
    rdtsc                       ; what nobody knows beforehand
    add eax, esi
    and eax, PUSHES - 1
    shl eax, 3
    sub rsp, rax
    xor ebp, ebp                ; backtraces end here
global scenario_overflow_first
scenario_overflow_first:
    times PUSHES push rbp
global scenario_overflow_end
scenario_overflow_end:
    jmp scenario_overflow_first

section .rodata
align 8
provoke_table:                  ; by enum provoke
    dq provoke_de
    dq scenario_provoke_ud_at
    dq provoke_gp
    dq provoke_pf_read
    dq provoke_pf_write
    dq provoke_pf_text
