; SPDX-License-Identifier: MIT
; Entries of the faults: from what the CPU pushed to a whole struct trap_frame.

%include "offsets.inc"
%include "task.inc"

bits 32
section .text

extern fault_dispatch

; Stack on entry, from the top down; ss and esp only if the fault came from ring 3,
; the error code only for some vectors:
;     ss  esp  eflags  cs  eip  error       pushed by the CPU
; What the entries share may stand once, for each to jump to: fault_common, for one. A
; label `common` cannot be, as that is a word of NASM's own.

; void fault_entry_de(void), #DE: no error code
global fault_entry_de
fault_entry_de:
    ; BEGIN SOLUTION 3.1: complete the frame, call fault_dispatch, go back
    push dword 0                ; stands for the error code
    push dword VEC_DE
    jmp fault_entry
    ; END SOLUTION 3.1

; void fault_entry_ud(void), #UD: no error code
global fault_entry_ud
fault_entry_ud:
    ; BEGIN SOLUTION 3.1: the same for #UD
    push dword 0
    push dword VEC_UD
    jmp fault_entry
    ; END SOLUTION 3.1

; void fault_entry_gp(void), #GP: with an error code
global fault_entry_gp
fault_entry_gp:
    ; BEGIN SOLUTION 3.1: the same for #GP
    push dword VEC_GP
    jmp fault_entry
    ; END SOLUTION 3.1

; void fault_entry_pf(void), #PF: with an error code
global fault_entry_pf
fault_entry_pf:
    ; BEGIN SOLUTION 3.1: the same for #PF
    push dword VEC_PF
    jmp fault_entry

; The rest, alike for all. Stack: ... eip (CPU), error (CPU or entry), vector (entry).
fault_entry:
    pusha                       ; eax ecx edx ebx esp ebp esi edi
    push ds
    push es
    push fs
    push gs                     ; esp is now a struct trap_frame *
    mov eax, SEL_KDATA          ; ring 3 may have left anything in them
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    cld                         ; C expects DF clear
    push esp                    ; the argument
    call fault_dispatch
    add esp, 4
    pop gs
    pop fs
    pop es
    pop ds
    popa
    add esp, 8                  ; vector and error code: iret knows neither
    iretd
    ; END SOLUTION 3.1
