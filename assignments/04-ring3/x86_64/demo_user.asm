; SPDX-License-Identifier: MIT
; A program for ring 3. The kernel copies it to a user page, so it must not contain an
; address of its own.

%include "offsets.inc"

bits 64
section .rodata

global demo_user_start
demo_user_start:

; Leaves a struct demo_seen on the stack, then tries to read a port.
global demo_user_port
demo_user_port:
    mov eax, cs
    push rax
    mov eax, ss
    push rax
    pushfq
    in al, 0x60                 ; #GP: IOPL is 0, and no bitmap opens the port

global demo_user_cli
demo_user_cli:
    cli                         ; #GP: IOPL is 0

global demo_user_kernel
demo_user_kernel:
    mov eax, [KERNEL_BASE]      ; #PF: the page is the kernel's

global demo_user_end
demo_user_end:
