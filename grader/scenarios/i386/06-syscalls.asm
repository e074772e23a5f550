; SPDX-License-Identifier: MIT
; What a system call finds when it is served.

bits 32
section .text

; void scenario_call_state(struct call_state *state)
; stack: [esp+4] state (caller), [esp] return address (call)
; clobbers: eax, and DF is clear then.
global scenario_call_state
scenario_call_state:
    mov eax, [esp + 4]
    mov [eax], ds
    mov [eax + 2], es
    mov [eax + 4], fs
    mov [eax + 6], gs
    pushf
    pop dword [eax + 8]
    cld
    ret
