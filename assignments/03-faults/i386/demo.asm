; SPDX-License-Identifier: MIT
; Faults on purpose, one instruction each.

bits 32

section .bss
align 4
global demo_resume
demo_resume: resd 1

section .text

; void demo_divide(void); clobbers: eax ecx edx
global demo_divide
demo_divide:
    mov dword [demo_resume], .behind
    xor ecx, ecx
    xor edx, edx
    div ecx                     ; #DE
.behind:
    ret

; void demo_undefined(void)
global demo_undefined
demo_undefined:
    mov dword [demo_resume], .behind
    ud2                         ; #UD
.behind:
    ret

; void demo_selector(void); clobbers: ecx
global demo_selector
demo_selector:
    mov dword [demo_resume], .behind
    mov ecx, 0x7ff8             ; index 4095, GDT, RPL 0
    mov fs, ecx                 ; #GP
.behind:
    ret

; void demo_read(uintptr_t va)
; stack: [esp+4] va (caller), [esp] return address (call); clobbers: eax ecx
global demo_read
demo_read:
    mov dword [demo_resume], .behind
    mov ecx, [esp + 4]
    mov eax, [ecx]              ; #PF
.behind:
    ret

; void demo_write(uintptr_t va)
; stack: [esp+4] va (caller), [esp] return address (call); clobbers: ecx
global demo_write
demo_write:
    mov dword [demo_resume], .behind
    mov ecx, [esp + 4]
    mov [ecx], ecx              ; #PF
.behind:
    ret

; void demo_overflow(void): does not return
global demo_overflow
demo_overflow:
    push ebp                    ; in the end #PF, which cannot be pushed either: #DF
    jmp demo_overflow
