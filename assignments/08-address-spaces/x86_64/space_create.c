/* SPDX-License-Identifier: MIT */
/* A new tree of four levels, with the kernel in it. */
#include <course/08-address-spaces.h>
#include <memory.h>
#include <paging.h>
#include <task.h>

uintptr_t space_create(void)
{
    /* TASK 8.1: the first entry of two tables is shared, so both are new */
    TASK_OPEN("8.1");
}
