# SPDX-License-Identifier: MIT
# What x86_64 adds to kernel/flags.mk, in the same form. No red zone: an interrupt in
# ring 0 writes right below RSP. Small pages: the Multiboot header must come early in
# the file.

CFLAGS_ARCH := -m64 -march=x86-64 -fcf-protection=none -mno-red-zone -mcmodel=small
NASMFLAGS_ARCH := -f elf64
LDFLAGS_ARCH := -m elf_x86_64 -z max-page-size=4096
