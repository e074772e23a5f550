# SPDX-License-Identifier: MIT
# What i386 adds to kernel/flags.mk, in the same form.

CFLAGS_ARCH := -m32 -march=i686 -fcf-protection=none
NASMFLAGS_ARCH := -f elf32
LDFLAGS_ARCH := -m elf_i386
