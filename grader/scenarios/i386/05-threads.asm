; SPDX-License-Identifier: MIT
; Kernel threads with marked registers: what the timer interrupts must come back whole.

%include "offsets.inc"

bits 32
section .text

extern scenario_marks
extern scenario_landed

; void scenario_kernel_loop_N(void *argument): never returns. Registers hold the marks
; of row N, ecx counts.
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

; What the C code of an interrupt relies on: a bit for each that is not so.
FLAGS_DF equ 0x400
LOST_DF equ 1                   ; DF is set
LOST_SEGMENTS equ 2             ; DS, ES, FS or GS is not the kernel's

; uint32_t scenario_c_lost(void)
global scenario_c_lost
scenario_c_lost:
    xor eax, eax
    pushf
    pop ecx
    test ecx, FLAGS_DF
    jz .segments
    or eax, LOST_DF
.segments:
    mov ecx, ds
    mov edx, es
    cmp ecx, SEL_KDATA
    jne .lost
    cmp edx, ecx
    jne .lost
    mov edx, fs
    cmp edx, ecx
    jne .lost
    mov edx, gs
    cmp edx, ecx
    je .end
.lost:
    or eax, LOST_SEGMENTS
.end:
    ret

; void *scenario_marked(uintptr_t mark, void (*fn)(void), void *first, void *second)
; stack: [esp+16] second ... [esp+4] mark (caller), [esp] return address (call)
global scenario_marked
scenario_marked:
    push ebp
    push ebx
    push esi
    push edi
    mov ebx, [esp + 20]         ; mark
    lea esi, [ebx + 1]
    lea edi, [ebx + 2]
    lea ebp, [ebx + 3]
    mov edx, [esp + 24]         ; fn
    push dword [esp + 32]       ; second
    push dword [esp + 32]       ; first
    mov eax, scenario_marked_call
    jmp eax                     ; a block of its own in the record
global scenario_marked_call
scenario_marked_call:
    call edx
global scenario_marked_back
scenario_marked_back:
    add esp, 8
    pop edi
    pop esi
    pop ebx
    pop ebp
    ret

; void scenario_land(void): reached by thread_switch, on a stack of its address. The
; flags may come from there too: aligned so that TF is clear in it.
align 512
global scenario_land
scenario_land:
    push EFLAGS_FIXED
    popf
    call scenario_landed        ; does not return
