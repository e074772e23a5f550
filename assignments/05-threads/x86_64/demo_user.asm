; SPDX-License-Identifier: MIT
; A user thread of the demo. It is copied to a page of its own, so it runs at any
; address; what it needs to know lies at demo_user_row.

bits 64
default rel

section .rodata

; struct user_row of demo.c
struc ROW
.cell_va: resq 1
.ring_va: resq 1
.clock_va: resq 1
.cells: resd 1
.pace: resd 1
.cell: resd 1
.padding: resd 1
endstruc

; Entered at the first byte of a page, in ring 3, on the user stack.
global demo_user
demo_user:
    lea rbx, [demo_user_row]
    mov rdi, [rbx + ROW.cell_va]
    mov rsi, [rbx + ROW.clock_va]
    mov ecx, [rbx + ROW.cells]
.cell:
    mov edx, [rsi]
.wait:
    mov eax, [rsi]              ; the kernel's timer counts on, in the frame behind it
    sub eax, edx
    cmp eax, [rbx + ROW.pace]
    jb .wait
    mov eax, [rbx + ROW.cell]
    mov [rdi], ax
    add rdi, 2
    dec ecx
    jnz .cell
    mov rdi, [rbx + ROW.ring_va]
    mov ecx, cs
    and ecx, 3                  ; the ring
    add ecx, '0'
    mov al, cl                  ; in the colour of the row
    mov [rdi], ax
    ud2                         ; there is no call yet that ends a thread

    align 8, int3
global demo_user_row
demo_user_row:
    times ROW_size db 0
global demo_user_end
demo_user_end:
