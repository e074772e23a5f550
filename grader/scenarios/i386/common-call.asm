; SPDX-License-Identifier: MIT
; Calls a student's routine and notes which of its caller's registers it has changed.

bits 32

KEPT equ 4                      ; registers pushed below
MARK equ 0x51ab1e00             ; the nth register holds MARK + n

section .bss
alignb 4
global scenario_clobbered
scenario_clobbered: resd 1
stack_before: resd 1
callee: resd 1

section .text

; void scenario_call(void (*fn)(void), uintptr_t arg)
; stack: [esp+8] arg, [esp+4] fn (caller), [esp] return address (call)
; Interrupts as they were.
global scenario_call
scenario_call:
    push ebp
    push edi
    push esi
    push ebx
    mov eax, [esp + 4 * KEPT + 4]
    mov [callee], eax
    mov ecx, [esp + 4 * KEPT + 8]
    mov [stack_before], esp
    mov ebx, MARK
    mov esi, MARK + 1
    mov edi, MARK + 2
    mov ebp, MARK + 3
    push ecx                    ; the argument, and nowhere else
    mov eax, MARK + 4
    mov ecx, MARK + 5
    mov edx, MARK + 6
    call [callee]
    lea eax, [esp + 4]
    cmp eax, [stack_before]
    setne al
    movzx eax, al
    shl eax, 31
    cmp ebx, MARK
    je .esi
    or eax, 1
.esi:
    cmp esi, MARK + 1
    je .edi
    or eax, 2
.edi:
    cmp edi, MARK + 2
    je .ebp
    or eax, 4
.ebp:
    cmp ebp, MARK + 3
    je .done
    or eax, 8
.done:
    or [scenario_clobbered], eax
    mov esp, [stack_before]
    pop ebx
    pop esi
    pop edi
    pop ebp
    ret
