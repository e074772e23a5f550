; SPDX-License-Identifier: MIT
; The entry: struct registers, then serve(registers, false).

%include "offsets.inc"

bits 32
section .text

extern serve
global syscall_entry
global serve_and_return

syscall_entry:
    pusha
    mov eax, 0                  ; fast
serve_and_return:
    push ds
    push es
    push fs
    push gs
    mov ecx, SEL_KDATA
    mov ds, ecx
    mov es, ecx
    mov fs, ecx
    mov gs, ecx
    cld
    mov ecx, esp
    push eax
    push ecx
    call serve
    add esp, 8
    pop gs
    pop fs
    pop es
    pop ds
    popa
    iretd
