; SPDX-License-Identifier: MIT
; A switch that loads TR instead of patching esp0.

%include "offsets.inc"

bits 32
section .text

extern use_tss_of
extern timer_interrupt

; void thread_switch(struct thread *prev, struct thread *next)
global thread_switch
thread_switch:
    mov ecx, [esp + 4]
    mov edx, [esp + 8]
    push edi
    push esi
    push ebx
    push ebp
    mov [ecx + THREAD_SP], esp
    mov esp, [edx + THREAD_SP]
    cmp dword [edx + THREAD_KERNEL_TOP], 0
    je .back
    push edx
    call use_tss_of
    add esp, 4
.back:
    pop ebp
    pop ebx
    pop esi
    pop edi
    ret

; void set_stack0(struct tss *tss, uintptr_t top)
global set_stack0
set_stack0:
    mov eax, [esp + 4]
    mov ecx, [esp + 8]
    mov [eax + TSS_ESP0], ecx
    mov dword [eax + TSS_SS0], SEL_KDATA
    ret

; void timer_entry(void)
global timer_entry
timer_entry:
    push ds
    push es
    push fs
    push gs
    pusha
    cld
    mov ax, SEL_KDATA
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    call timer_interrupt
    popa
    pop gs
    pop fs
    pop es
    pop ds
    iretd
