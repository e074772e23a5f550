; SPDX-License-Identifier: MIT
; Into ring 3 with iretd, and back to the kernel after a fault.

%include "offsets.inc"
%include "task.inc"

bits 32

section .bss
align 4
resume_esp: resd 1              ; stack of the waiting ring3_run; 0: there is none

section .text

extern tss_set_kernel_stack

; void ring3_enter(uintptr_t entry, uintptr_t stack)
; stack: [esp+8] stack, [esp+4] entry (caller), [esp] return address (call)
; Does not return. Interrupts off here, on in ring 3.
global ring3_enter
ring3_enter:
    ; BEGIN SOLUTION 4.2: data segments, the frame that iretd expects, iretd
    mov ecx, [esp + 4]
    mov edx, [esp + 8]
    mov eax, SEL_UDATA          ; iretd would only null the kernel's
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    push eax                    ; SS
    push edx                    ; ESP
    push dword EFLAGS_FIXED | EFLAGS_IF ; IOPL 0
    push dword SEL_UCODE        ; CS
    push ecx                    ; EIP
    xor eax, eax
    xor ebx, ebx
    xor ecx, ecx
    xor edx, edx
    xor esi, esi
    xor edi, edi
    xor ebp, ebp
    iretd
    ; END SOLUTION 4.2

; unsigned ring3_run(uintptr_t entry, uintptr_t stack)
; stack: [esp+8] stack, [esp+4] entry (caller), [esp] return address (call)
; clobbers: eax ecx edx. Interrupts off.
global ring3_run
ring3_run:
    ; BEGIN SOLUTION 4.3: note where to come back to, set the kernel stack, enter
    push ebp
    push ebx
    push esi
    push edi
    mov ecx, [esp + 20]         ; entry, behind four registers and the return address
    mov edx, [esp + 24]         ; stack
    mov [resume_esp], esp
    mov eax, esp
    and eax, -16                ; the fault's frame goes below what is live here
    push edx                    ; arguments of ring3_enter
    push ecx
    push eax                    ; argument of tss_set_kernel_stack
    call tss_set_kernel_stack
    add esp, 4
    call ring3_enter            ; does not return
    ; END SOLUTION 4.3

; void ring3_return(unsigned vector)
; stack: [esp+4] vector (caller), [esp] return address (call)
; Returns from ring3_run instead, if one waits. Interrupts off.
global ring3_return
ring3_return:
    ; BEGIN SOLUTION 4.3: take up the stack of ring3_run and return from there
    mov eax, [esp + 4]          ; the result
    mov ecx, [resume_esp]
    test ecx, ecx
    jz .none
    mov dword [resume_esp], 0
    mov esp, ecx
    pop edi
    pop esi
    pop ebx
    pop ebp
.none:
    ret
    ; END SOLUTION 4.3
