; SPDX-License-Identifier: MIT
; A user thread that loops for ever with marked registers; ecx counts. PAD: bytes in
; front; MARK: the first of six marks; DF: 1 to loop with the direction flag set.

bits 32

    times PAD int3              ; nobody comes here
entry:
    mov eax, MARK
    mov ebx, MARK + 1
    mov edx, MARK + 2
    mov esi, MARK + 3
    mov edi, MARK + 4
    mov ebp, MARK + 5
    xor ecx, ecx
%if DF
    std
%endif
turn:
    inc ecx
    jmp turn
end:
