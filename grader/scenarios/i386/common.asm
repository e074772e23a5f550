; SPDX-License-Identifier: MIT
; Ways into ring 3 and entries for its traps that owe nothing to a student's code.

%include "offsets.inc"

PIC_COMMAND equ 0x20
PIC_EOI equ 0x20

bits 32
section .text

extern scenario_finish

; void scenario_far_ring3(uintptr_t entry, uintptr_t stack)
; stack: [esp+8] stack, [esp+4] entry (caller), [esp] return address (call)
; Does not return. Interrupts stay off.
global scenario_far_ring3
scenario_far_ring3:
    mov ecx, [esp + 4]
    mov edx, [esp + 8]
    mov eax, SEL_UDATA
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    push eax                    ; SS
    push edx                    ; ESP
    push dword SEL_UCODE        ; CS
    push ecx                    ; EIP
global scenario_far_ring3_retf
scenario_far_ring3_retf:
    retf

; Stops at once, so that the grader sees the stack that the CPU chose.
global scenario_entry_landing
scenario_entry_landing:
    cli
.again:
    hlt
    jmp .again

; A fault with an error code at an instruction of one byte: goes on behind it.
global scenario_entry_skip_byte
scenario_entry_skip_byte:
    inc dword [esp + 4]         ; EIP, above the error code
    add esp, 4
    iretd

; Ends the scenario.
global scenario_entry_finish
scenario_entry_finish:
    mov eax, SEL_KDATA
    mov ds, eax
    mov es, eax
    cld
    call scenario_finish

; A timer interrupt: acknowledged, nothing else. ss: is valid in any ring.
global scenario_entry_tick
scenario_entry_tick:
    push eax
    mov al, PIC_EOI
    out PIC_COMMAND, al
    pop eax
    iretd
