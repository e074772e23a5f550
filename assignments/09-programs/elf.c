/* SPDX-License-Identifier: MIT */
/* ELF executables: are they what they say, and how do they get into memory. */
#include <course/09-programs.h>
#include <memory.h>
#include <string.h>
#include <task.h>

/* TASK 9.1: the parts of the file, and of a segment in memory */

int elf_check(const void *image, size_t bytes)
{
    /* TASK 9.1: from outside inwards; nothing is used before it is known */
    TASK_OPEN("9.1");
}

/* TASK 9.2: one page of a segment: zeroes, and what the file has for it */

int elf_load(uintptr_t root_pa, const void *image, size_t bytes, uintptr_t *entry)
{
    /* TASK 9.2: every page that a segment touches */
    TASK_OPEN("9.2");
}
