# SPDX-License-Identifier: MIT
# How user programs are built, for grader/build: each line is "NAME := words".

# The C library, relative to user/; every program is linked with all of it.
USER_LIB := lib/sys.c lib/memory.c lib/string.c lib/search.c lib/strdup.c lib/ctype.c lib/number.c lib/sort.c lib/rand.c lib/errno.c lib/format.c lib/printf.c lib/line.c lib/input.c lib/malloc.c

# Freestanding, and without SSE like the kernel; -O0 or -O2 is added.
CFLAGS_USER := -std=gnu11 -ffreestanding -g -fno-pic -fno-pie -fno-common -fno-stack-protector -fno-asynchronous-unwind-tables -mgeneral-regs-only -Wall -Wextra -Werror=implicit-function-declaration
