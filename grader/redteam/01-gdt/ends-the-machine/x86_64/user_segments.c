/* SPDX-License-Identifier: MIT */
/* See gdt.c. */
