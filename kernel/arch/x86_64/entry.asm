; SPDX-License-Identifier: MIT
; The first instructions of the kernel: the Multiboot 1 header, and the way from 32-bit
; protected mode to long mode and to C.
; Source: SDM 3A "Initializing IA-32e Mode" (10.8.5).

%include "offsets.inc"

MB_MAGIC equ 0x1badb002
MB_FLAGS equ 3                  ; modules page-aligned, memory map wanted

BOOT_STACK_BYTES equ 4 * PAGE_BYTES

CPUID_EXTENDED equ 0x80000000   ; highest extended leaf
CPUID_FEATURES equ 0x80000001
FEATURE_NX equ 1 << 20          ; in EDX
FEATURE_LONG_MODE equ 1 << 29
CR4_PAE equ 1 << 5
CR0_PG equ 1 << 31

LARGE_PAGE_BYTES equ 2 << 20

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
; Long mode needs paging from its first instruction on: a coarse identity map that
; serves until paging_init.
boot_pml4:
    resb PAGE_BYTES
boot_pdpt:
    resb PAGE_BYTES
boot_directory:
    resb PAGE_BYTES

section .rodata
no_long_mode:
    db "This kernel needs a 64-bit CPU.", 0

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
    mov edi, eax                ; magic
    mov esi, ebx                ; information; cpuid changes eax to edx
    lgdt [gdt_ptr]              ; takes only 32 bits of the base here
    mov ecx, SEL_KDATA
    mov ds, ecx
    mov es, ecx
    mov fs, ecx
    mov gs, ecx
    mov ss, ecx
    xor ecx, ecx
    lldt cx                     ; no LDT: a reset leaves one at address 0
    mov esp, boot_stack_top
    mov eax, CPUID_EXTENDED
    cpuid
    cmp eax, CPUID_FEATURES
    jb refuse
    mov eax, CPUID_FEATURES
    cpuid
    test edx, FEATURE_LONG_MODE
    jz refuse
    mov ebp, edx                ; features

    mov dword [boot_pml4], boot_pdpt + (PTE_PRESENT | PTE_WRITE)
    mov dword [boot_pdpt], boot_directory + (PTE_PRESENT | PTE_WRITE)
    mov eax, PTE_PRESENT | PTE_WRITE | PTE_LARGE
    mov ecx, boot_directory
.map:
    mov [ecx], eax              ; upper half: 0 from .bss
    add ecx, 8
    add eax, LARGE_PAGE_BYTES
    cmp eax, IDENTITY_END
    jb .map

    mov eax, cr4
    or eax, CR4_PAE
    mov cr4, eax
    mov eax, boot_pml4
    mov cr3, eax
    mov ecx, MSR_EFER
    rdmsr
    or eax, EFER_LME
    test ebp, FEATURE_NX
    jz .no_nx
    or eax, EFER_NXE
.no_nx:
    wrmsr
    mov eax, cr0
    or eax, CR0_PG
    mov cr0, eax                ; long mode is active, this code still 32-bit
    jmp SEL_KCODE:long_mode     ; loads CS from the new table: L is set there

; Say why nothing happens, on the screen and on COM1 as the firmware left it.
refuse:
    mov esi, no_long_mode
    mov edi, VGA_TEXT_PA
    mov edx, 0x3f8              ; COM1
    mov ah, 0x07                ; grey on black
.next:
    lodsb
    test al, al
    jz .halt
    stosw
    out dx, al
    jmp .next
.halt:
    hlt
    jmp .halt

bits 64
long_mode:
    mov edi, edi                ; upper halves are undefined after the switch
    mov esi, esi
    mov esp, boot_stack_top
    xor ebp, ebp                ; ends the chain of frame pointers
    call kernel_main            ; magic, information; does not return
