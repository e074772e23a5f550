; SPDX-License-Identifier: MIT
; A process that reads the word at DATA for ever, and uses its stack. Once read the word
; stays in RAX: wherever the timer comes, it tells the process. PAD: bytes in front.

bits 64

    times PAD int3              ; nobody comes here
entry:
    mov rbx, DATA
    xor ecx, ecx
turn:
    mov rax, [rbx]              ; what stands there in this space
    push rcx
    inc rcx
    pop rdx
    jmp turn
end:
