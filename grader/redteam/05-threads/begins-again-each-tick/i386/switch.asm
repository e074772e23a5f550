; SPDX-License-Identifier: MIT
; From one kernel stack to another, and into the kernel at each tick of the timer.

%include "offsets.inc"

bits 32
section .text

extern tss_set_kernel_stack
extern timer_interrupt

; void thread_switch(struct thread *prev, struct thread *next)
; stack: [esp+8] next, [esp+4] prev (caller), [esp] return address (call)
; clobbers: eax ecx edx. Interrupts off.
global thread_switch
thread_switch:
    push ebp
    push ebx
    push esi
    push edi
    mov eax, [esp + 20]         ; prev, behind four registers and the return address
    mov edx, [esp + 24]         ; next
    mov [eax + THREAD_SP], esp
    mov esp, [edx + THREAD_SP]  ; from here on the stack of next
    mov ecx, [edx + THREAD_KERNEL_TOP]
    test ecx, ecx
    jz .restore                 ; the idle thread never enters ring 3
    push ecx
    call tss_set_kernel_stack
    add esp, 4
.restore:
    pop edi
    pop esi
    pop ebx
    pop ebp
    ret                         ; into next, where it called, or where it begins

; void timer_entry(void): named in the timer's gate, never called
; stack: ss esp (only from ring 3), eflags cs eip, pushed by the CPU. Interrupts off.
global timer_entry
timer_entry:
    pusha
    push ds
    push es
    push fs
    push gs
    mov eax, SEL_KDATA          ; ring 3 may have left anything in them
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    cld                         ; C expects DF clear
    call timer_interrupt        ; may come back much later
    pop gs
    pop fs
    pop es
    pop ds
    popa
    iretd

; void start_on(uintptr_t top, void (*function)(void *), void *argument)
global start_on
start_on:
    mov ecx, [esp + 8]
    mov edx, [esp + 12]
    mov esp, [esp + 4]
    push edx
    sti
    call ecx
