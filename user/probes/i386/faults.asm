; SPDX-License-Identifier: MIT
; One fault of ring 3 after each label. PAD: bytes in front; ABSENT: an address that
; nobody mapped; KERNEL: an address of the kernel's; GDT, LDT: selectors of descriptors
; that are not there. What a hook repairs is followed by ud2, so that the registers are
; seen once more.

%include "offsets.inc"

bits 32

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
    imul eax, eax, 0x9e3779b1   ; spread over all bits
    lea ebx, [eax + PAD + 2]
    lea esi, [eax + PAD + 3]
    lea edi, [eax + PAD + 4]
    lea ebp, [eax + PAD + 5]
    lea ecx, [eax + PAD + 6]
    lea edx, [eax + PAD + 7]
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
    mov ecx, ABSENT
pf_read_at:
    cmp al, [ecx]
pf_read_next:
    ud2
pf_write:
    MARKS
    mov ecx, ABSENT
pf_write_at:
    mov [ecx], al
kernel_read:
    MARKS
    mov ecx, KERNEL
kernel_read_at:
    cmp al, [ecx]
kernel_write:
    MARKS
    mov ecx, KERNEL
kernel_write_at:
    mov [ecx], al
kernel_jump:
    MARKS
    mov ecx, KERNEL
    jmp ecx                     ; the fault is at the address jumped to
