; SPDX-License-Identifier: MIT
; One fault of ring 3 after each label. PAD: bytes in front; ABSENT: an address that
; nobody mapped; KERNEL: an address of the kernel's; GDT, LDT: selectors of descriptors
; that are not there. What a hook repairs is followed by ud2, so that the registers are
; seen once more.

%include "offsets.inc"

bits 64

; The data segments are the user's, but with a selector of its own in each: only RPL
; differs, and ring 3 may lower that.
%macro MARKS 0
    mov eax, SEL_UDATA ^ 1
    mov es, eax
    mov eax, SEL_UDATA ^ 2
    mov fs, eax
    mov eax, SEL_UDATA ^ 3
    mov gs, eax
    rdtsc                       ; what nobody knows beforehand,
    mov rcx, 0x9e3779b97f4a7c15
    imul rax, rcx               ; spread over all bits
    add rax, PAD
    lea rbx, [rax + 1]
    lea rsi, [rax + 2]
    lea rdi, [rax + 3]
    lea rbp, [rax + 4]
    lea rcx, [rax + 5]
    lea rdx, [rax + 6]
    lea r8, [rax + 7]
    lea r9, [rax + 8]
    lea r10, [rax + 9]
    lea r11, [rax + 10]
    lea r12, [rax + 11]
    lea r13, [rax + 12]
    lea r14, [rax + 13]
    lea r15, [rax + 14]
    std                         ; the kernel must clear DF for itself and keep it for us
%endmacro

    times PAD int3              ; nobody comes here
de:
    MARKS
    xor ecx, ecx
de_at:
    div ecx
de_next:
    ud2
ud:
    MARKS
ud_at:
    ud2
ud_next:
    ud2
gp:
    MARKS
gp_at:
    in al, dx
gp_next:
    ud2
gate:
    MARKS
gate_at:
    int 0x80                    ; there is no gate yet that ring 3 may use
gdt:
    MARKS
    mov ecx, GDT
gdt_at:
    mov fs, ecx
ldt:
    MARKS
    mov ecx, LDT
ldt_at:
    mov fs, ecx
pf_read:
    MARKS
    mov rcx, ABSENT
pf_read_at:
    cmp al, [rcx]
pf_read_next:
    ud2
pf_write:
    MARKS
    mov rcx, ABSENT
pf_write_at:
    mov [rcx], al
kernel_read:
    MARKS
    mov rcx, KERNEL
kernel_read_at:
    cmp al, [rcx]
kernel_write:
    MARKS
    mov rcx, KERNEL
kernel_write_at:
    mov [rcx], al
kernel_jump:
    MARKS
    mov rcx, KERNEL
    jmp rcx                     ; the fault is at the address jumped to
