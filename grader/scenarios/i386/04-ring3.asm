; SPDX-License-Identifier: MIT
; Calls ring3_run as a caller that relies on every register it may rely on.

bits 32

section .bss
align 4
global marked_sp
marked_sp: resd 1               ; the lowest live word of the caller's stack

section .text

extern ring3_run

; What ring3_run lost: a bit each. IF and DF count as lost if they are set.
LOST_SP equ 0x01
LOST_LIVE equ 0x02
LOST_FLAGS equ 0x04
LOST_EBX equ 0x08
LOST_ESI equ 0x10
LOST_EDI equ 0x20
LOST_EBP equ 0x40
FLAGS_IF_DF equ 0x600

; Behind a comparison: note that bit unless both were equal.
%macro LOST_UNLESS_EQUAL 1
    je %%kept
    or edx, %1
%%kept:
%endmacro

; unsigned scenario_run_marked(uintptr_t entry, uintptr_t stack, uint32_t *lost)
; stack: [esp+12] lost, [esp+8] stack, [esp+4] entry (caller), [esp] return address
; clobbers: eax ecx edx, as C allows. Interrupts off.
global scenario_run_marked
scenario_run_marked:
    push ebp
    push ebx
    push esi
    push edi
    mov eax, [esp + 20]
    mov ecx, [esp + 24]
    mov ebx, 0x5eedb001
    mov esi, 0x5eedb002
    mov edi, 0x5eedb003
    mov ebp, 0x5eedb004
    push dword 0x5eedb005       ; a live word of the kernel's stack
    push ecx
    push eax
    mov [marked_sp], esp
    call ring3_run
    pushf
    pop ecx
    xor edx, edx
    cmp esp, [marked_sp]
    LOST_UNLESS_EQUAL LOST_SP
    mov esp, [marked_sp]
    cmp dword [esp + 8], 0x5eedb005
    LOST_UNLESS_EQUAL LOST_LIVE
    test ecx, FLAGS_IF_DF
    LOST_UNLESS_EQUAL LOST_FLAGS
    cmp ebx, 0x5eedb001
    LOST_UNLESS_EQUAL LOST_EBX
    cmp esi, 0x5eedb002
    LOST_UNLESS_EQUAL LOST_ESI
    cmp edi, 0x5eedb003
    LOST_UNLESS_EQUAL LOST_EDI
    cmp ebp, 0x5eedb004
    LOST_UNLESS_EQUAL LOST_EBP
    cld
    add esp, 12
    mov ecx, [esp + 28]
    mov [ecx], edx
    pop edi
    pop esi
    pop ebx
    pop ebp
    ret
