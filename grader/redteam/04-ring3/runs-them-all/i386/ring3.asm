; SPDX-License-Identifier: MIT
; Enters ring 3 for good; a fault leads to the next program.

%include "offsets.inc"

bits 32
section .text

extern cheat_first
extern cheat_next
extern tss_set_kernel_stack

; unsigned ring3_run(uintptr_t entry, uintptr_t stack)
global ring3_run
ring3_run:
    lea eax, [esp - 256]        ; room for what C needs in between
    push eax
    call tss_set_kernel_stack
    add esp, 4
    jmp cheat_first             ; with both arguments

; void ring3_return(unsigned vector)
global ring3_return
ring3_return:
    jmp cheat_next

; void ring3_enter(uintptr_t entry, uintptr_t stack)
global ring3_enter
global cheat_enter
ring3_enter:
cheat_enter:
    mov eax, SEL_UDATA
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    mov ecx, [esp + 4]
    mov edx, [esp + 8]
    push eax                    ; SS
    push edx                    ; ESP
    push dword EFLAGS_FIXED | EFLAGS_IF
    push dword SEL_UCODE        ; CS
    push ecx                    ; EIP
    iretd
