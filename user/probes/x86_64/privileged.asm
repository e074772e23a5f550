; SPDX-License-Identifier: MIT
; One privileged instruction after each label, and a try at kernel memory. PAD: bytes in
; front; KERNEL: an address of the kernel's; PORT: a port; TURNS: loops of the spin.

bits 64
default rel

    times PAD int3              ; nobody comes here
first:
    ud2                         ; faults at once: shows the state right after iret
try_in:
    mov edx, PORT
in_at:
    in al, dx
try_out:
    mov edx, PORT
out_at:
    out dx, al
try_cli:
    nop
cli_at:
    cli
try_hlt:
    nop
hlt_at:
    hlt
try_mov_cr3:
    xor eax, eax
mov_cr3_at:
    mov cr3, rax
try_lgdt:
    lea rax, [try_lgdt]
lgdt_at:
    lgdt [rax]
try_kernel_read:
    mov rcx, KERNEL
kernel_read_at:
    mov eax, [rcx]
try_kernel_write:
    mov rcx, KERNEL
kernel_write_at:
    mov [rcx], eax
spin:
    mov ecx, TURNS
spin_turn:
    dec ecx
    jnz spin_turn
spin_done:
    ud2
