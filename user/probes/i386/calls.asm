; SPDX-License-Identifier: MIT
; Makes the calls of a table, each with all registers given, and keeps what came back.
; PAD: bytes in front; TABLE: address of the table, TABLE_END: its end; RESULTS: a page
; for the results. FAST: if given, calls go through the page at FAST_CALL_VA.
;
; A row of the table: eax ebx ecx edx esi edi ebp how. A result: ds es fs gs edi esi ebp
; esp ebx edx ecx eax eflags, behind four words: next row, next result, results so far,
; address of the fast calls.

%include "offsets.inc"

ROW_HOW equ 28
ROW_BYTES equ 32
RESULT_WORDS equ 13

HOW_DF equ 1                    ; call with DF set
HOW_NULL equ 2                  ; and with null data segments
HOW_RAW equ 4                   ; sysenter itself, with ebp as it is

AT_NEXT equ RESULTS
AT_OUT equ RESULTS + 4
AT_COUNT equ RESULTS + 8
AT_WAY equ RESULTS + 12

bits 32

    times PAD int3              ; nobody comes here
entry:
    mov dword [AT_NEXT], TABLE
    mov dword [AT_OUT], RESULTS + 16
    mov dword [AT_WAY], FAST_CALL_VA
turn:
    mov ebp, [AT_NEXT]
    cmp ebp, TABLE_END
    je done
    mov eax, [ebp]              ; by way of ss, whatever ds is
    mov ebx, [ebp + 4]
    mov ecx, [ebp + 8]
    mov edx, [ebp + 12]
    mov esi, [ebp + 16]
    mov edi, [ebp + 20]
    test byte [ebp + ROW_HOW], HOW_NULL
    jz .segments
    push dword 0
    pop gs
    push dword 0
    pop fs
    push dword 0
    pop es
    push dword 0
    pop ds
.segments:
    test byte [ebp + ROW_HOW], HOW_RAW
    jnz raw
    test byte [ebp + ROW_HOW], HOW_DF
    mov ebp, [ebp + 24]         ; changes no flag
    jz .call
    std
.call:
%ifdef FAST
int_at:
    call [ss:AT_WAY]               ; by way of ss, whatever ds is
%else
int_at:
    int VEC_SYSCALL
%endif
    pushf
    pusha                       ; esp is that of behind pushf
    cld
    push gs
    push fs
    push es
    push ds
    mov eax, ss
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    mov esi, esp
    mov edi, [AT_OUT]
    mov ecx, RESULT_WORDS
    rep movsd
    mov [AT_OUT], edi
    lea esp, [esp + RESULT_WORDS * 4]
    add dword [AT_NEXT], ROW_BYTES
    inc dword [AT_COUNT]
    jmp turn
raw:
    mov ebp, [ebp + 24]
raw_at:
    sysenter
done:
    ud2
