; SPDX-License-Identifier: MIT
; Ways into ring 3 and entries for its traps that owe nothing to a student's code.

%include "offsets.inc"

PIC_COMMAND equ 0x20
PIC_EOI equ 0x20

bits 64
section .text

extern scenario_finish

; void scenario_far_ring3(uintptr_t entry, uintptr_t stack)
; rdi: entry, rsi: stack; stack: [rsp] return address (call)
; Does not return. Interrupts stay off.
global scenario_far_ring3
scenario_far_ring3:
    mov eax, SEL_UDATA
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    push rax                    ; SS
    push rsi                    ; RSP
    push SEL_UCODE              ; CS
    push rdi                    ; RIP
global scenario_far_ring3_retf
scenario_far_ring3_retf:
    retfq

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
    inc qword [rsp + 8]         ; RIP, above the error code
    add rsp, 8
    iretq

; Ends the scenario.
global scenario_entry_finish
scenario_entry_finish:
    cld
    and rsp, -16                ; there is no way back
    call scenario_finish

; A timer interrupt: acknowledged, nothing else.
global scenario_entry_tick
scenario_entry_tick:
    push rax
    mov al, PIC_EOI
    out PIC_COMMAND, al
    pop rax
    iretq
