; SPDX-License-Identifier: MIT
; A user thread of the demo. It is copied to a page of its own, so it runs at any
; address; what it needs to know lies at demo_user_row.

%include "offsets.inc"

bits 32

section .rodata

; struct user_row of demo.c
struc ROW
.cell_va: resd 1
.ring_va: resd 1
.clock_va: resd 1
.cells: resd 1
.pace: resd 1
.cell: resd 1
endstruc

; Entered at the first byte of a page, in ring 3, on the user stack.
global demo_user
demo_user:
    call .here
.here:
    pop ebx
    and ebx, -PAGE_BYTES        ; the page that this code lies in
    add ebx, demo_user_row - demo_user
    mov edi, [ebx + ROW.cell_va]
    mov esi, [ebx + ROW.clock_va]
    mov ecx, [ebx + ROW.cells]
.cell:
    mov edx, [esi]
.wait:
    mov eax, [esi]              ; the kernel's timer counts on, in the frame behind it
    sub eax, edx
    cmp eax, [ebx + ROW.pace]
    jb .wait
    mov eax, [ebx + ROW.cell]
    mov [edi], ax
    add edi, 2
    dec ecx
    jnz .cell
    mov edi, [ebx + ROW.ring_va]
    mov ecx, cs
    and ecx, 3                  ; the ring
    add ecx, '0'
    mov al, cl                  ; in the colour of the row
    mov [edi], ax
    ud2                         ; there is no call yet that ends a thread

    align 4, int3
global demo_user_row
demo_user_row:
    times ROW_size db 0
global demo_user_end
demo_user_end:
