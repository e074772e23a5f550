# SPDX-License-Identifier: MIT
# The flags of every C and NASM file; make and grader/build both read these lines, so each
# is "NAME := words", with nothing computed.

# All C: freestanding, frame pointers for backtraces, no SSE, no tables that C++ would want.
CFLAGS_COMMON := -std=gnu11 -ffreestanding -O2 -g -fno-pic -fno-pie -fno-common -fno-stack-protector -fno-asynchronous-unwind-tables -fno-omit-frame-pointer -mgeneral-regs-only -Wall -Wextra -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wno-unused-parameter

# What one compiler alone needs. clang: debug information in the sections that kernel.ld
# places, none of its own; pragmas of gcc; before version 17 it warns of the very calls
# that -mgeneral-regs-only makes safe.
CFLAGS_gcc :=
CFLAGS_clang := -gdwarf-4 -fno-addrsig -Wno-unknown-warning-option -Wno-unknown-pragmas -Wno-interrupt-service-routine

# Provided code must be free of warnings; in a student's own files they are only shown.
CFLAGS_CORE := -Werror
CFLAGS_GAP :=

# All NASM, and what provided code adds. NASM 2.16 calls "push", which its own align macros
# use, an unknown warning; later releases warn of every absolute address in a section.
NASMFLAGS := -g -F dwarf -Wall -Wno-unknown-warning -Wno-reloc
NASMFLAGS_CORE := -Werror
