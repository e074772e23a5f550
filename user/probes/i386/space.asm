; SPDX-License-Identifier: MIT
; A process that reads the word at DATA for ever, and uses its stack. Once read the word
; stays in EAX: wherever the timer comes, it tells the process. PAD: bytes in front.

bits 32

    times PAD int3              ; nobody comes here
entry:
    mov ebx, DATA
    xor ecx, ecx
turn:
    mov eax, [ebx]              ; what stands there in this space
    push ecx
    inc ecx
    pop edx
    jmp turn
end:
