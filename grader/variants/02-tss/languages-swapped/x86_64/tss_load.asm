; SPDX-License-Identifier: MIT
; The encoder and the setter.

TSS_RSP0 equ 4

bits 64
default rel
section .text

; void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[2])
; rdi base, esi limit, rdx slot
global tss_encode
tss_encode:
    mov eax, edi
    and eax, 0xffffff           ; base 23..0
    shl rax, 16
    mov ax, si                  ; limit 15..0
    bts rax, 47                 ; present
    mov ecx, 0x9                ; available TSS
    shl rcx, 40
    or rax, rcx
    shr esi, 16
    and esi, 0xf                ; limit 19..16
    shl rsi, 48
    or rax, rsi
    mov rcx, rdi
    shr ecx, 24                 ; base 31..24
    shl rcx, 56
    or rax, rcx
    mov [rdx], rax
    shr rdi, 32
    mov [rdx + 8], rdi
    ret

; void tss_set_kernel_stack(uintptr_t top)
; rdi top
extern task_state
global tss_set_kernel_stack
tss_set_kernel_stack:
    mov [task_state + TSS_RSP0], rdi
    ret
