; SPDX-License-Identifier: MIT
; Makes the calls of a table, each with all registers given. What came back is seen in
; the trace: the registers at back_at.
; PAD: bytes in front; TABLE: address of the table, TABLE_END: its end; WORK: a page for
; one word. FAST: if given, calls go through the page at FAST_CALL_VA.
;
; A row of the table: rax rbx rcx rdx rsi rdi rbp r8-r15 how.

%include "offsets.inc"

ROW_HOW equ 120
ROW_BYTES equ 128

HOW_DF equ 1                    ; call with DF set
HOW_NULL equ 2                  ; and with es and gs null, unlike ds and fs

NEXT equ WORK                   ; address of the next row

bits 64

    times PAD int3              ; nobody comes here
entry:
    mov rbp, NEXT
    mov rax, TABLE
    mov [rbp], rax
turn:
    mov rcx, NEXT
    mov rbp, [rcx]
    mov rax, TABLE_END
    cmp rbp, rax
    je done
    add qword [rcx], ROW_BYTES
    mov rbx, [rbp + 8]
    mov rcx, [rbp + 16]
    mov rdx, [rbp + 24]
    mov rsi, [rbp + 32]
    mov rdi, [rbp + 40]
    mov r8, [rbp + 56]
    mov r9, [rbp + 64]
    mov r10, [rbp + 72]
    mov r11, [rbp + 80]
    mov r12, [rbp + 88]
    mov r13, [rbp + 96]
    mov r14, [rbp + 104]
    mov r15, [rbp + 112]
    test byte [rbp + ROW_HOW], HOW_NULL
    jz .segments
    xor eax, eax
    mov gs, eax
    mov es, eax
.segments:
    mov rax, [rbp]
    test byte [rbp + ROW_HOW], HOW_DF
    mov rbp, [rbp + 48]         ; changes no flag
    jz .call
    std
.call:
%ifdef FAST
int_at:
    call [rel way]              ; a word of this page: no register is free
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
done:
    ud2
%ifdef FAST
way: dq FAST_CALL_VA
%endif
