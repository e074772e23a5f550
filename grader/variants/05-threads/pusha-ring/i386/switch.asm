; SPDX-License-Identifier: MIT
; Every register at each switch, with pusha.

%include "offsets.inc"

bits 32
section .text

extern tss_set_kernel_stack
extern timer_interrupt
extern pic_eoi

; void thread_switch(struct thread *prev, struct thread *next)
global thread_switch
thread_switch:
    mov eax, [esp + 4]
    mov edx, [esp + 8]
    pusha
    pushf
    mov [eax + THREAD_SP], esp
    mov esp, [edx + THREAD_SP]
    mov eax, [edx + THREAD_KERNEL_TOP]
    or eax, eax
    jz .idle
    push eax
    call tss_set_kernel_stack
    pop eax
.idle:
    popf
    popa
    ret

; uintptr_t first_frame(uintptr_t top, void (*begin)(void))
global first_frame
first_frame:
    mov eax, [esp + 4]
    mov ecx, [esp + 8]
    mov dword [eax - 4], 0
    mov [eax - 8], ecx
    sub eax, 8 + 8 * 4 + 4      ; what popa and popf take
    mov dword [eax], EFLAGS_FIXED
    ret

; void timer_entry(void)
global timer_entry
timer_entry:
    push gs
    push fs
    push es
    push ds
    push ebp
    push edi
    push esi
    push edx
    push ecx
    push ebx
    push eax
    mov ecx, SEL_KDATA
    mov ds, ecx
    mov es, ecx
    mov fs, ecx
    mov gs, ecx
    cld
    push 0
    call pic_eoi
    add esp, 4
    call timer_interrupt
    pop eax
    pop ebx
    pop ecx
    pop edx
    pop esi
    pop edi
    pop ebp
    pop ds
    pop es
    pop fs
    pop gs
    iretd
