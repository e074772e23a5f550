/* SPDX-License-Identifier: MIT */
/* Where stage 10 hooks in: at the start of a process, at a fault, at its end. */
#include <course/10-memory.h>
#include <fault.h>
#include <process.h>
#include <thread.h>

static uintptr_t page_down(uintptr_t va)
{
    return va & ~(uintptr_t)(PAGE_BYTES - 1);
}

static uintptr_t page_up(uintptr_t va)
{
    return page_down(va + PAGE_BYTES - 1);
}

/* What elf_load and arguments_put have mapped is a part of the process's areas, too. */
static int memory_of_program(struct process *process, const void *image, size_t bytes)
{
    const struct elf_header *header = image;
    const struct elf_segment *segment =
        (const void *)((const char *)image + header->segments);
    uintptr_t heap_start = PROGRAM_LOW;
    int error;

    (void)bytes; /* elf_check has seen them */
    for (unsigned i = 0; i < header->segment_count; i++) {
        const uintptr_t end = (uintptr_t)(segment[i].va + segment[i].memory_bytes);

        if (segment[i].type == ELF_LOAD && page_up(end) > heap_start) {
            heap_start = page_up(end);
        }
    }
    error = memory_start(process, heap_start);
    if (error == E_OK) {
        error = area_add(process, USER_ARGS_VA, USER_ARGS_VA + PAGE_BYTES, SPACE_WRITE);
    }
    for (unsigned i = 0; i < header->segment_count && error == E_OK; i++) {
        const struct elf_segment *s = &segment[i];

        if (s->type == ELF_LOAD && s->memory_bytes > 0) {
            error = area_add(process, page_down((uintptr_t)s->va),
                             page_up((uintptr_t)(s->va + s->memory_bytes)),
                             (s->flags & ELF_WRITE ? SPACE_WRITE : 0) |
                                 (s->flags & ELF_EXEC ? SPACE_EXEC : 0));
        }
    }
    if (error != E_OK && process->memory) {
        memory_end(process);
    }
    return error;
}

PROCESS_HOOK(100, memory_of_program, memory_end);
FAULT_REPAIR(100, area_fault);
SYSCALL(SYS_HEAP, sys_heap);
