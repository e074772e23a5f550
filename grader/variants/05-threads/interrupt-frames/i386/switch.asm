; SPDX-License-Identifier: MIT
; Switches, and threads that begin by iretd.

%include "offsets.inc"

bits 32
section .text

extern tss_set_kernel_stack
extern timer_interrupt

; void thread_switch(struct thread *prev, struct thread *next)
global thread_switch
thread_switch:
    push ebx
    push esi
    push edi
    push ebp
    mov ebx, [esp + 20]
    mov esi, [esp + 24]
    mov [ebx + THREAD_SP], esp
    mov esp, [esi + THREAD_SP]
    mov edi, [esi + THREAD_KERNEL_TOP]
    test edi, edi
    jz .idle
    push edi
    call tss_set_kernel_stack
    pop edi
.idle:
    pop ebp
    pop edi
    pop esi
    pop ebx
    ret

; void launch_iret(void): reached by ret
; stack: data segment, eip, cs, eflags, esp, ss
global launch_iret
launch_iret:
    pop eax
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    iretd

; void timer_entry(void)
global timer_entry
timer_entry:
    push eax
    push ecx
    push edx
    push ebx
    push ebp
    push esi
    push edi
    mov eax, ds
    push eax
    mov eax, es
    push eax
    mov eax, fs
    push eax
    mov eax, gs
    push eax
    mov eax, SEL_KDATA
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    cld
    call timer_interrupt
    pop eax
    mov gs, eax
    pop eax
    mov fs, eax
    pop eax
    mov es, eax
    pop eax
    mov ds, eax
    pop edi
    pop esi
    pop ebp
    pop ebx
    pop edx
    pop ecx
    pop eax
    iretd
