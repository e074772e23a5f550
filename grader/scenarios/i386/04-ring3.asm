; SPDX-License-Identifier: MIT
; Calls stage 04 as a caller that relies on every register it may rely on.

bits 32

KEPT equ 4                      ; registers pushed below

section .bss
align 4
global marked_sp
marked_sp: resd 1               ; the stack pointer at the call: the lowest live word

section .text

extern scenario_marks

; void scenario_call_marked(void (*fn)(void), uintptr_t first, uintptr_t second)
; stack: [esp+12] second, [esp+8] first, [esp+4] fn (caller), [esp] return address
; clobbers: eax ecx edx, as C allows. Interrupts off.
global scenario_call_marked
scenario_call_marked:
    push ebp
    push ebx
    push esi
    push edi
    mov eax, [esp + 4 * KEPT + 4]
    mov ecx, [esp + 4 * KEPT + 8]
    mov edx, [esp + 4 * KEPT + 12]
    push dword [scenario_marks + 4 * KEPT] ; a live word of the kernel's stack
    push edx
    push ecx
    mov [marked_sp], esp
    mov ebx, [scenario_marks]
    mov esi, [scenario_marks + 4]
    mov edi, [scenario_marks + 8]
    mov ebp, [scenario_marks + 12]
    call eax
global scenario_marked_back
scenario_marked_back:           ; evidence: QEMU's record of the registers here
    mov esp, [marked_sp]
    mov edx, [esp + 8]          ; the live word
    mov ecx, scenario_marked_word
    cld
    cli
    jmp ecx                     ; begins a block that is recorded each time
global scenario_marked_word
scenario_marked_word:           ; evidence: esp and edx in its record
    add esp, 12
    pop edi
    pop esi
    pop ebx
    pop ebp
    ret
