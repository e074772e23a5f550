; SPDX-License-Identifier: MIT
; Faults that are meant to happen, each at a label of its own.

%include "offsets.inc"

bits 32

PUSHES equ 1024                 ; a power of two, and less than a stack has words

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
    sti                         ; the gate has to clear IF; every IRQ is masked
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
    iretd

; void scenario_touch(uintptr_t va)
; stack: [esp+4] va (caller), [esp] return address (call)
; clobbers: eax ecx edx
global scenario_touch
scenario_touch:
    push ebp
    push ebx
    push esi
    push edi
    mov ecx, [esp + 20]         ; va
    mov eax, 0x5eedb011         ; marks, to be found again behind the fault
    mov edx, 0x5eedb012
    mov ebx, 0x5eedb013
    mov esi, 0x5eedb014
    mov edi, 0x5eedb015
    mov ebp, 0x5eedb016
global scenario_touch_at
scenario_touch_at:
    cmp al, [ecx]
global scenario_touch_next
scenario_touch_next:
    int3
    pop edi
    pop esi
    pop ebx
    pop ebp
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

; void scenario_overflow(uintptr_t top, uintptr_t skip)
; stack: [esp+8] skip, [esp+4] top (caller), [esp] return address (call)
global scenario_overflow
scenario_overflow:
    mov ecx, [esp + 8]
    mov esp, [esp + 4]
    rdtsc                       ; what nobody knows beforehand
    add eax, ecx
    and eax, PUSHES - 1
    shl eax, 2
    sub esp, eax
    xor ebp, ebp                ; backtraces end here
global scenario_overflow_first
scenario_overflow_first:
    times PUSHES push ebp
global scenario_overflow_end
scenario_overflow_end:
    jmp scenario_overflow_first

section .rodata
provoke_table:                  ; by enum provoke
    dd provoke_de
    dd scenario_provoke_ud_at
    dd provoke_gp
    dd provoke_pf_read
    dd provoke_pf_write
    dd provoke_pf_text
