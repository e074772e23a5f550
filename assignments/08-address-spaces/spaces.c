/* SPDX-License-Identifier: MIT */
/* What is mapped in a space, what becomes of it, and which space the CPU uses. */
#include <arch/cpu.h>
#include <course/08-address-spaces.h>
#include <memory.h>
#include <paging.h>
#include <task.h>
#include <thread.h>

/* TASK 8.2: the way through any tree, as the CPU goes */

int space_map(uintptr_t root_pa, uintptr_t va, uintptr_t frame_pa, unsigned rights)
{
    /* TASK 8.2: the user bit on every level, the rights at level 1 */
    TASK_OPEN("8.2");
}

uintptr_t space_unmap(uintptr_t root_pa, uintptr_t va)
{
    /* TASK 8.2: the entry, and what the CPU remembers of it */
    TASK_OPEN("8.2");
}

/* TASK 8.3: a table and all below it, but for what is the kernel's */

void space_destroy(uintptr_t root_pa)
{
    /* TASK 8.3: from the root */
    TASK_OPEN("8.3");
}

void space_switch(struct thread *prev, struct thread *next)
{
    /* TASK 8.4: only a change of CR3 costs the CPU its translations */
    TASK_OPEN("8.4");
}

uintptr_t user_stack_create(void)
{
    /* TASK 8.4: page after page, and back again if one is missing */
    TASK_OPEN("8.4");
}
