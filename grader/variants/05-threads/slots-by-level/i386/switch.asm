; SPDX-License-Identifier: MIT
; The frame pointer stays the frame pointer; new threads come with full registers.

%include "offsets.inc"

bits 32
section .text

extern tss_set_kernel_stack
extern timer_interrupt
extern thread_exit
extern ring3_enter

; void thread_switch(struct thread *prev, struct thread *next)
global thread_switch
thread_switch:
    push ebp
    mov ebp, esp
    push esi
    push edi
    push ebx
    mov esi, [ebp + 8]          ; prev
    mov edi, [ebp + 12]         ; next
    mov eax, [edi + THREAD_KERNEL_TOP]
    test eax, eax
    jz .exchange
    push eax
    call tss_set_kernel_stack   ; still on the stack of prev
    add esp, 4
.exchange:
    mov [esi + THREAD_SP], esp
    mov esp, [edi + THREAD_SP]
    pop ebx
    pop edi
    pop esi
    pop ebp
    ret

; uintptr_t user_frame(uintptr_t top, uintptr_t entry, uintptr_t stack)
global user_frame
user_frame:
    mov edx, run_user
    jmp frame

; uintptr_t kernel_frame(uintptr_t top, void (*function)(void *), void *argument)
global kernel_frame
kernel_frame:
    mov edx, run_kernel
frame:
    mov eax, [esp + 4]
    mov ecx, [esp + 8]
    sub eax, 20
    mov [eax], ecx              ; ebx
    mov ecx, [esp + 12]
    mov [eax + 4], ecx          ; edi
    mov dword [eax + 8], 0
    mov dword [eax + 12], 0
    mov [eax + 16], edx         ; where ret goes
    ret

run_kernel:
    sti
    push edi
    call ebx
    call thread_exit

run_user:
    push edi
    push ebx
    call ring3_enter

; void timer_entry(void)
global timer_entry
timer_entry:
    cli                         ; a trap gate would do as well
    pusha
    push gs
    push fs
    push es
    push ds
    push ss                     ; the kernel's data segment
    pop ds
    push ss
    pop es
    push ss
    pop fs
    push ss
    pop gs
    mov ebp, esp
    and esp, -16
    cld
    call timer_interrupt
    mov esp, ebp
    pop ds
    pop es
    pop fs
    pop gs
    popa
    iretd
