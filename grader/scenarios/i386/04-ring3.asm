; SPDX-License-Identifier: MIT
; Calls ring3_run as a caller that relies on every register it may rely on.

bits 32

section .bss
align 4
marked_esp: resd 1

section .text

extern ring3_run

; unsigned scenario_run_marked(uintptr_t entry, uintptr_t stack, uint32_t *kept)
; stack: [esp+12] kept, [esp+8] stack, [esp+4] entry (caller), [esp] return address
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
    mov [marked_esp], esp
    call ring3_run
    xor edx, edx                ; not kept, until all is seen
    cmp esp, [marked_esp]
    jne .lost
    cmp ebx, 0x5eedb001
    jne .lost
    cmp esi, 0x5eedb002
    jne .lost
    cmp edi, 0x5eedb003
    jne .lost
    cmp ebp, 0x5eedb004
    jne .lost
    cmp dword [esp + 8], 0x5eedb005
    jne .lost
    inc edx
.lost:
    mov esp, [marked_esp]
    add esp, 12
    mov ecx, [esp + 28]
    mov [ecx], edx
    pop edi
    pop esi
    pop ebx
    pop ebp
    ret
