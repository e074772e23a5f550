; SPDX-License-Identifier: MIT
; Where a system call is served, and a fast call as silicon makes it.

%include "offsets.inc"

FAST_NUMBER equ 45              ; one of the calls that only note

bits 64
default rel

; struct syscall_entry: call 39, which only this architecture has.
section .table.syscall progbits alloc noexec nowrite align=8
    dd 39, 0
    dq as_silicon

section .bss
alignb 8
global scenario_mask
scenario_mask: resq 1           ; what MSR_FMASK holds

section .text

extern fast_entry
extern thread_current

; void scenario_served(uint32_t thread)
; edi thread; clobbers: rax rcx, and DF is clear then.
global scenario_served
global scenario_served_at       ; the trace shows the registers here
scenario_served:
    mov eax, edi
    lea rcx, [scenario_served_at]
    jmp rcx                     ; QEMU records no block that a plain jump leads to
scenario_served_at:
    cld
    ret

; intptr_t as_silicon(const uintptr_t arguments[SYSCALL_ARGUMENTS])
; QEMU clears DF in syscall whatever MSR_FMASK says. So this does what a CPU would have
; done if the thread, which came by int 0x80 and has DF set, had made a fast call: rip,
; rflags and rsp of ring 3 from the frame at the top of its kernel stack. Without fast
; calls, or with a mask of none, there is no such call.
as_silicon:
    mov ecx, MSR_FMASK
    rdmsr
    mov rdx, rax
    mov rax, E_NOSYS
    test rdx, rdx
    jz .return
    mov rbx, rdx                ; nobody comes back to the caller
    cli
    sub rsp, 8                  ; a call needs the stack aligned to 16
    call thread_current
    xchg rax, rbx
    mov rbx, [rbx + THREAD_KERNEL_TOP]
    mov [scenario_mask], rax    ; its upper half is 0
    not rax
    mov r11, [rbx - 24]         ; rflags
    and rax, r11
    mov rcx, [rbx - 40]         ; rip
    mov edx, SEL_KDATA
    mov ss, edx                 ; null since the gate
    push rax
    popf
    mov rsp, [rbx - 16]
    mov eax, FAST_NUMBER
    jmp fast_entry
.return:
    ret
