; SPDX-License-Identifier: MIT
; What a system call finds when it is served.

bits 64
section .text

; void scenario_call_state(struct call_state *state)
; rdi state; clobbers: nothing but DF, which is clear then.
global scenario_call_state
scenario_call_state:
    mov [rdi], ds
    mov [rdi + 2], es
    mov [rdi + 4], fs
    mov [rdi + 6], gs
    pushf
    pop qword [rdi + 8]
    cld
    ret
