; SPDX-License-Identifier: MIT
; A whole kernel in long mode whose every step is known: it enters ring 3, whose
; first instruction may not be executed there. With -DBAD no gate takes that #GP, nor
; the double fault after it, so the CPU gives up. Nothing of the course is in it.

%define BASE 0x100000
%define at(label) (BASE + label - $$)

bits 32
org BASE

; The Multiboot header. The file is flat, so it says itself what goes where.
header:
    dd 0x1badb002, 0x10000, -(0x1badb002 + 0x10000)
    dd header, header, image_end, image_end, start

start:
    cmp eax, 0x2badb002         ; what a Multiboot loader leaves here
    jne .no_loader
    mov word [0xb8000], 0x0752  ; an R in the screen's corner
    mov eax, pml4
    mov cr3, eax
    mov eax, cr4
    or eax, 1 << 5              ; PAE
    mov cr4, eax
    mov ecx, 0xc0000080         ; EFER
    rdmsr
    or eax, 1 << 8              ; LME
    wrmsr
    mov eax, cr0
    or eax, 1 << 31             ; PG
    mov cr0, eax
    lgdt [gdt_register]
    jmp 0x08:ring0
.no_loader:
    hlt

bits 64
ring0:
    mov eax, 0x10
    mov ss, eax
    mov esp, boot_stack
    lidt [idt_register]
    mov eax, 0x28
    ltr ax
    mov esi, in_ring0
    call say
    push 0x23                   ; SS
    push user_stack             ; RSP
    push 2                      ; RFLAGS: IOPL 0, interrupts off
    push 0x1b                   ; CS
    push user                   ; RIP
    iretq

user:
    cli                         ; #GP(0): CPL 3 is above IOPL 0

general_protection:
    mov esi, end_of_test
    call say
    hlt

; Send the text at RSI to COM1, up to its 0.
say:
    mov dx, 0x3f8
.next:
    lodsb
    test al, al
    jz .done
    out dx, al
    jmp .next
.done:
    ret

in_ring0:
    db "in ring 0", 13, 10, 0
end_of_test:
    db "[ringlab] end of known", 13, 10, 0

align 8
gdt:
    dq 0
    dq 0x00209a0000000000       ; 0x08: code of ring 0
    dq 0x0000920000000000       ; 0x10: data of ring 0
    dq 0x0020fa0000000000       ; 0x18: code of ring 3
    dq 0x0000f20000000000       ; 0x20: data of ring 3
    dw 103, at(tss) & 0xffff    ; 0x28: the TSS, in two slots
    db at(tss) >> 16 & 0xff, 0x89, 0, at(tss) >> 24
    dq 0
gdt_register:
    dw gdt_register - gdt - 1
    dq gdt

align 16
idt:
    times 13 dq 0, 0
    dw at(general_protection) & 0xffff, 0x08, 0x8e00, at(general_protection) >> 16
    dq 0
idt_register:
%ifdef BAD
    dw 0
%else
    dw idt_register - idt - 1
%endif
    dq idt

align 8
tss:
    dd 0
    dq kernel_stack             ; RSP0
    times 23 dd 0
align 16
    times 64 db 0
boot_stack:
    times 64 db 0
user_stack:
    times 256 db 0
kernel_stack:

; Ring 3 may use the first 2 MiB, which are mapped to themselves.
align 4096
pml4:
    dq at(pdpt) | 7
    times 511 dq 0
pdpt:
    dq at(pd) | 7
    times 511 dq 0
pd:
    dq 0x87
    times 511 dq 0
image_end:
