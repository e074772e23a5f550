/* SPDX-License-Identifier: MIT */
/* Descriptors: how their fields are packed, and how they get into the table. */
#include <course/01-gdt.h>
#include <task.h>

uint64_t gdt_encode(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
    /* TASK 1.1: pack the fields as the picture in arch/segment.h shows */
    TASK_OPEN("1.1");
}

int gdt_set(unsigned index, uint64_t descriptor)
{
    /* TASK 1.2: refuse slot 0 and what is no slot, write the others */
    TASK_OPEN("1.2");
}
