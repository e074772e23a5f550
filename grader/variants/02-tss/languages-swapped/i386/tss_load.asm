; SPDX-License-Identifier: MIT
; The encoder and the setter.

TSS_ESP0 equ 4

bits 32
section .text

; void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[1])
; stack: [esp+12] slot, [esp+8] limit, [esp+4] base
global tss_encode
tss_encode:
    mov ecx, [esp + 12]
    mov eax, [esp + 4]
    mov edx, eax
    shl eax, 16                 ; base 15..0
    mov ax, [esp + 8]           ; limit 15..0
    mov [ecx], eax
    mov eax, edx
    and eax, 0xff000000         ; base 31..24
    shr edx, 16
    mov al, dl                  ; base 23..16
    mov dl, [esp + 10]
    and edx, 0xf                ; limit 19..16
    shl edx, 16
    or eax, edx
    or ah, 0x89                 ; present, available TSS
    mov [ecx + 4], eax
    ret

; void tss_set_kernel_stack(uintptr_t top)
; stack: [esp+4] top
extern task_state
global tss_set_kernel_stack
tss_set_kernel_stack:
    mov eax, [esp + 4]
    mov [task_state + TSS_ESP0], eax
    ret
