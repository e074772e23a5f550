; SPDX-License-Identifier: MIT
; Makes the calls of a table, each with all registers given, and keeps what came back.
; PAD: bytes in front; TABLE: address of the table, TABLE_END: its end; RESULTS: a page
; for the results. FAST: if given, calls go through the page at FAST_CALL_VA.
;
; A row of the table: rax rbx rcx rdx rsi rdi rbp r8-r15 how. A result: ds es fs gs
; r15-r8 rdi rsi rbp rsp rbx rdx rcx rax rflags, behind four words: next row, next
; result, results so far, nothing.

%include "offsets.inc"

ROW_HOW equ 120
ROW_BYTES equ 128
RESULT_WORDS equ 21

HOW_DF equ 1                    ; call with DF set
HOW_NULL equ 2                  ; and with null data segments
HOW_RAW equ 4                   ; syscall itself, with rsp as rbp says

AT_NEXT equ RESULTS
AT_OUT equ RESULTS + 8
AT_COUNT equ RESULTS + 16

bits 64

    times PAD int3              ; nobody comes here
entry:
    mov rbp, RESULTS
    mov rax, TABLE
    mov [rbp], rax
    mov rax, RESULTS + 32
    mov [rbp + AT_OUT - RESULTS], rax
turn:
    mov rbp, RESULTS
    mov rbp, [rbp]
    mov rax, TABLE_END
    cmp rbp, rax
    je done
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
    mov fs, eax
    mov es, eax
    mov ds, eax
.segments:
    mov rax, [rbp]
    test byte [rbp + ROW_HOW], HOW_RAW
    jnz raw
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
    pushf
    push rax
    push rcx
    push rdx
    push rbx
    push rsp
    add qword [rsp], 4 * 8      ; that of behind pushf
    push rbp
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15
    cld
    xor eax, eax
    mov ax, gs
    push rax
    mov ax, fs
    push rax
    mov ax, es
    push rax
    mov ax, ds
    push rax
    mov eax, ss
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    mov rsi, rsp
    mov rbp, RESULTS
    mov rdi, [rbp + AT_OUT - RESULTS]
    mov ecx, RESULT_WORDS
    rep movsq
    mov [rbp + AT_OUT - RESULTS], rdi
    add rsp, RESULT_WORDS * 8
    add qword [rbp], ROW_BYTES
    inc qword [rbp + AT_COUNT - RESULTS]
    jmp turn
raw:
    mov rsp, [rbp + 48]
raw_at:
    syscall
done:
    ud2
%ifdef FAST
way: dq FAST_CALL_VA
%endif
