; SPDX-License-Identifier: MIT
; Kernel threads with marked registers: what the timer interrupts must come back whole.

bits 32
section .text

extern scenario_marks
extern thread_yield

; void scenario_kernel_loop_N(void *argument): never returns. Registers hold the marks of
; row N, ecx counts.
%macro LOOP 1
global scenario_kernel_loop_%1
scenario_kernel_loop_%1:
    mov eax, [scenario_marks + %1 * 64]
    mov ebx, [scenario_marks + %1 * 64 + 4]
    mov edx, [scenario_marks + %1 * 64 + 8]
    mov esi, [scenario_marks + %1 * 64 + 12]
    mov edi, [scenario_marks + %1 * 64 + 16]
    mov ebp, [scenario_marks + %1 * 64 + 20]
    xor ecx, ecx
global scenario_kernel_turn_%1
scenario_kernel_turn_%1:
    inc ecx
    jmp scenario_kernel_turn_%1
global scenario_kernel_end_%1
scenario_kernel_end_%1:
%endmacro

LOOP 0
LOOP 1
LOOP 2

; unsigned scenario_yield_marked(uintptr_t mark): 1 if thread_yield kept what it must
; stack: [esp+4] mark (caller), [esp] return address (call)
global scenario_yield_marked
scenario_yield_marked:
    push ebp
    push ebx
    push esi
    push edi
    mov ebx, [esp + 20]
    lea esi, [ebx + 1]
    lea edi, [ebx + 2]
    lea ebp, [ebx + 3]
    push ebx                    ; a live word of the stack
    call thread_yield
    pop ecx
    xor eax, eax                ; not kept, until all is seen
    mov edx, [esp + 20]
    cmp ecx, edx
    jne .end
    cmp ebx, edx
    jne .end
    inc edx
    cmp esi, edx
    jne .end
    inc edx
    cmp edi, edx
    jne .end
    inc edx
    cmp ebp, edx
    jne .end
    inc eax
.end:
    pop edi
    pop esi
    pop ebx
    pop ebp
    ret
