/* SPDX-License-Identifier: MIT */
/*
 * Contract of stage 10-memory: what a process may use, and memory that comes when it is
 * touched.
 * Source: SDM 3A "Page-Fault Exceptions" (4.7), "Interrupt 14" (6.15).
 */
#ifndef COURSE_10_MEMORY_H
#define COURSE_10_MEMORY_H

#include <course/09-programs.h>
#include <memmap.h>
#include <syscall.h>

/* A part of a process's addresses: from start to below end, both page-aligned. */
struct area {
    uintptr_t start;
    uintptr_t end;
    unsigned rights;   /* SPACE_*; reading is always allowed */
    struct area *next; /* free for the list of a process */
};

/* What a process has in `memory`. */
struct memory {
    struct area *areas;   /* free for the list */
    uintptr_t heap_start; /* page-aligned */
    uintptr_t heap_end;   /* one past the heap's last byte; not before heap_start */
};

/* The area of the stack: so many bytes below USER_STACK_TOP. */
#define STACK_BYTES 0x00100000u

/*
 * Task 10.1. Give a process its memory: no area but that of the stack, writable, and an
 * empty heap that will begin at heap_start, page-aligned. E_OK; or E_NOMEM, and then
 * process->memory is NULL and nothing was taken. Called once, when the process starts.
 * Context: interrupts off.
 */
int memory_start(struct process *process, uintptr_t heap_start);

/*
 * Task 10.1. The process may use start to end. E_INVAL unless both are page-aligned and
 * USER_BASE <= start < end <= USER_END; also if the area would share a page with one
 * that the process has. E_NOMEM if the kernel's heap is full. Context: interrupts off.
 */
int area_add(struct process *process, uintptr_t start, uintptr_t end, unsigned rights);

/*
 * Task 10.1. The area that holds va, or NULL. The area with the least start that is
 * above or at va, or NULL. Valid until the next call that changes areas. Context:
 * interrupts off.
 */
const struct area *area_find(const struct process *process, uintptr_t va);
const struct area *area_after(const struct process *process, uintptr_t va);

/*
 * Task 10.2, a repair hook of the fault chain. A page of an area of the running process
 * that is absent and that ring 3 or the kernel has touched in a way that its rights
 * allow, gets a frame of zeroes: true, and the instruction is tried again. Otherwise
 * false, and nothing has changed: another vector, no process, no area, a page that is
 * present (PF_PRESENT), a write or a fetch that the rights forbid, no frame left. The
 * address is read_cr2(), the access frame->error. Context: as fault_dispatch; also
 * called for user_page_query, on behalf of the kernel.
 */
bool area_fault(struct trap_frame *frame);

/*
 * Task 10.3. The call SYS_HEAP (abi/calls.h): the heap grows by arguments[0] bytes, a
 * signed number; returns where it ended before. The heap is the area from heap_start to
 * heap_end, rounded up to a page, writable; while it is empty there is none. E_INVAL if
 * it would end before heap_start; E_NOMEM if it would go beyond PROGRAM_HIGH or share a
 * page with another area; then nothing has changed. New bytes are 0, also those that
 * were given back before: whole pages beyond the new end lose their frames, which are
 * free again, and the rest of the last page is cleared. Context: as every call, with
 * interrupts on; areas and pages change with interrupts off.
 */
intptr_t sys_heap(const uintptr_t arguments[SYSCALL_ARGUMENTS]);

/*
 * Task 10.1. The end of a process: what memory_start and area_add took from the
 * kernel's heap is free again, and process->memory is NULL. Its pages go with its
 * space. Context: interrupts off.
 */
void memory_end(struct process *process);

#endif
