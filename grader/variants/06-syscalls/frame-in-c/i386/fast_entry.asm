; SPDX-License-Identifier: MIT
; sysenter: what the gate would have pushed is pushed here, and iretd goes back.

%include "offsets.inc"

EFLAGS_IF_SET equ 0x202

bits 32
section .text

extern serve_and_return

global fast_page
fast_page:
    push ecx                    ; nothing is lost: iretd needs neither ecx nor edx
    push ebp
    mov ebp, esp
    sysenter
fast_page_return:
    pop ebp
    pop ecx
    ret
global fast_page_end
fast_page_end:

global fast_entry
fast_entry:
    mov esp, [ss:esp]           ; esp0
    push dword SEL_UDATA
    push ebp
    push dword EFLAGS_IF_SET
    push dword SEL_UCODE
    push dword FAST_CALL_VA + fast_page_return - fast_page
    pusha
    mov eax, 1                  ; fast
    jmp serve_and_return
