; SPDX-License-Identifier: MIT
; The first instructions of the kernel: the Multiboot 1 header and the way to C.

%include "offsets.inc"

MB_MAGIC equ 0x1badb002
MB_FLAGS equ 3                  ; modules page-aligned, memory map wanted

BOOT_STACK_BYTES equ 4 * PAGE_BYTES

bits 32

section .multiboot
align 4
    dd MB_MAGIC
    dd MB_FLAGS
    dd -(MB_MAGIC + MB_FLAGS)

section .bss
alignb PAGE_BYTES
global boot_stack_guard
boot_stack_guard:
    resb PAGE_BYTES             ; made absent by paging_init
boot_stack:
    resb BOOT_STACK_BYTES
global boot_stack_top
boot_stack_top:

section .text
global _start
extern gdt_ptr
extern kernel_main

; void _start(void): where the boot loader jumps to, in flat 32-bit protected mode
; without paging; eax holds the loader's magic number, ebx the address of its
; information. Nothing may be assumed of the loader's GDT and stack.
_start:
    cli
    cld                         ; C expects DF clear
    lgdt [gdt_ptr]
    jmp SEL_KCODE:.segments     ; loads CS from the new table
.segments:
    mov ecx, SEL_KDATA
    mov ds, ecx
    mov es, ecx
    mov fs, ecx
    mov gs, ecx
    mov ss, ecx
    xor ecx, ecx
    lldt cx                     ; no LDT: a reset leaves one at address 0
    mov esp, boot_stack_top
    xor ebp, ebp                ; ends the chain of frame pointers
    push ebp                    ; keeps the stack aligned to 16 at the call
    push ebp
    push ebx                    ; information
    push eax                    ; magic
    call kernel_main            ; does not return
