; SPDX-License-Identifier: MIT
; A process that reads the word at DATA for ever, and then its stack. PAD: bytes in
; front.

bits 64

    times PAD int3              ; nobody comes here
entry:
    mov rbx, DATA
    xor ecx, ecx
turn:
    mov rax, [rbx]              ; what stands there in this space
    push rcx
    inc rcx
    pop rax
    mov rax, [rbx]
    jmp turn
end:
