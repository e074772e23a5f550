; SPDX-License-Identifier: MIT
; Faults that are meant to happen, each at a label of its own.

%include "offsets.inc"

bits 32

section .bss
align 4
try_esp: resd 1

section .text

extern scenario_absent_va
extern scenario_far_ring3

; void scenario_try(uintptr_t target, uintptr_t stack)
; stack: [esp+8] stack, [esp+4] target (caller), [esp] return address (call)
; clobbers: eax ecx edx. Interrupts off.
global scenario_try
scenario_try:
    push ebp
    push ebx
    push esi
    push edi
    mov [try_esp], esp
    mov ecx, [esp + 20]         ; target
    mov edx, [esp + 24]         ; stack
    mov ebx, 0x5eedb001         ; marks, to be found again in the frame
    mov esi, 0x5eedb002
    mov edi, 0x5eedb003
    mov ebp, 0x5eedb004
    test edx, edx
    jz .ring0
    push edx
    push ecx
    call scenario_far_ring3
.ring0:
    mov eax, 0x5eedb005
    jmp [provoke_table + ecx * 4]

; void scenario_try_end(void): back to the caller of scenario_try
global scenario_try_end
scenario_try_end:
    mov esp, [try_esp]
    pop edi
    pop esi
    pop ebx
    pop ebp
    ret

; void scenario_hook_state(struct hook_state *state)
; Leaves DF clear, so that a set one shows in what is noted and nowhere else.
global scenario_hook_state
scenario_hook_state:
    mov eax, [esp + 4]
    mov [eax], ds
    mov [eax + 2], es
    mov [eax + 4], fs
    mov [eax + 6], gs
    pushf
    pop dword [eax + 8]
    cld
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
    mov ecx, [scenario_absent_va]
global scenario_provoke_pf_read_at
scenario_provoke_pf_read_at:
    mov edx, [ecx]

provoke_pf_write:
    mov ecx, [scenario_absent_va]
global scenario_provoke_pf_write_at
scenario_provoke_pf_write_at:
    mov [ecx], edx

provoke_pf_text:
    mov ecx, scenario_try
global scenario_provoke_pf_text_at
scenario_provoke_pf_text_at:
    mov [ecx], edx

; void scenario_overflow(uintptr_t top)
global scenario_overflow
scenario_overflow:
    mov esp, [esp + 4]
    mov ebp, esp
global scenario_overflow_at
scenario_overflow_at:
    push ebp
    jmp scenario_overflow_at

section .rodata
provoke_table:                  ; by enum provoke
    dd provoke_de
    dd scenario_provoke_ud_at
    dd provoke_gp
    dd provoke_pf_read
    dd provoke_pf_write
    dd provoke_pf_text
