/* SPDX-License-Identifier: MIT */
/* A new tree of two levels, with the kernel in it. */
#include <course/08-address-spaces.h>
#include <memory.h>
#include <paging.h>
#include <task.h>

uintptr_t space_create(void)
{
    /* TASK 8.1: a directory whose entries below USER_BASE are the kernel's */
    TASK_OPEN("8.1");
}
