; SPDX-License-Identifier: MIT
; Makes the calls of a table, each with all registers given. What came back is seen in
; the trace: the registers at back_at.
; PAD: bytes in front; TABLE: address of the table, TABLE_END: its end; WORK: a page for
; two words. FAST: if given, calls go through the page at FAST_CALL_VA.
;
; A row of the table: eax ebx ecx edx esi edi ebp how.

%include "offsets.inc"

ROW_HOW equ 28
ROW_BYTES equ 32

HOW_DF equ 1                    ; call with DF set
HOW_NULL equ 2                  ; and with es and gs null, unlike ds and fs
HOW_RAW equ 4                   ; sysenter itself, with ebp as it is

NEXT equ WORK                   ; address of the next row
WAY equ WORK + 4                ; address of the fast calls

bits 32

    times PAD int3              ; nobody comes here
entry:
    mov dword [NEXT], TABLE
    mov dword [WAY], FAST_CALL_VA
turn:
    mov ebp, [NEXT]
    cmp ebp, TABLE_END
    je done
    add dword [NEXT], ROW_BYTES
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
    pop es
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
    call [ss:WAY]               ; by way of ss, whatever ds is
%else
int_at:
    int VEC_SYSCALL
%endif
back_at:
    cld
    mov eax, ss
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    jmp turn
raw:
    mov ebp, [ebp + 24]
    sysenter
done:
    ud2
