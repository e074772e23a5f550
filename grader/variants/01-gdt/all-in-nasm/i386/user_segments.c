/* SPDX-License-Identifier: MIT */
/* gdt_init_user is in gdt_reload.asm. */
