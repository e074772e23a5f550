; SPDX-License-Identifier: MIT
; A user thread that loops for ever with marked registers; rcx counts. PAD: bytes in
; front; MARK: the first of fourteen marks; DF: 1 to loop with the direction flag set.

bits 64

    times PAD int3              ; nobody comes here
entry:
    mov rax, MARK
    mov rbx, MARK + 1
    mov rdx, MARK + 2
    mov rsi, MARK + 3
    mov rdi, MARK + 4
    mov rbp, MARK + 5
    mov r8, MARK + 6
    mov r9, MARK + 7
    mov r10, MARK + 8
    mov r11, MARK + 9
    mov r12, MARK + 10
    mov r13, MARK + 11
    mov r14, MARK + 12
    mov r15, MARK + 13
    xor ecx, ecx
%if DF
    std
%endif
turn:
    inc rcx
    jmp turn
end:
