/* SPDX-License-Identifier: MIT */
/*
 * Contract of stage 09-programs: files become processes, and processes end.
 * Source: System V ABI, "ELF Header", "Program Header", "Program Loading" (gABI,
 * chapters 4 and 5); abi/error.h for the E_ELF_* codes.
 */
#ifndef COURSE_09_PROGRAMS_H
#define COURSE_09_PROGRAMS_H

#include <arch/elf.h>
#include <course/08-address-spaces.h>
#include <memmap.h>
#include <multiboot.h>
#include <types.h>

struct trap_frame;
struct memory;

/*
 * Task 9.1. May the image be loaded? Reads its bytes only, changes nothing, and trusts
 * no number in it. Returns E_OK if the whole of this holds, else the E_ELF_* code of
 * something that does not:
 *
 *   E_ELF_SHORT     the header, the segments' headers, and the bytes of each ELF_LOAD
 *                   segment lie in the image; where one has none, its offset is at
 *                   most `bytes`
 *   E_ELF_FORMAT    magic; ELF_CLASS; ELF_LITTLE_ENDIAN; version is 1
 *   E_ELF_MACHINE   machine is ELF_MACHINE
 *   E_ELF_TYPE      type is ELF_EXECUTABLE
 *   E_ELF_SEGMENTS  segment_bytes is that of struct elf_segment; one segment at least
 *                   is ELF_LOAD and has memory_bytes
 *   E_ELF_SIZE      no ELF_LOAD segment has file_bytes above its memory_bytes
 *   E_ELF_PLACE     each ELF_LOAD segment with memory_bytes lies from PROGRAM_LOW to
 *                   below PROGRAM_HIGH
 *   E_ELF_OVERLAP   no two of these touch the same page
 *   E_ELF_ENTRY     the entry lies in the memory of one of them that is ELF_EXEC
 *
 * bytes: of the image. The image is aligned to a page. Context: any.
 */
#define PROGRAM_LOW USER_PROGRAM_BASE
#define PROGRAM_HIGH USER_STACKS_BASE
int elf_check(const void *image, size_t bytes);

/*
 * Task 9.2. Put an image that elf_check accepts into a space that has nothing there:
 * for each ELF_LOAD segment the pages that it touches, with SPACE_WRITE and SPACE_EXEC
 * as its flags say, and in them its bytes; every other byte of these pages is 0.
 * *entry: where the program starts. Returns E_OK, or E_NOMEM, and then the space may
 * hold a part of it. Context: interrupts off.
 */
int elf_load(uintptr_t root_pa, const void *image, size_t bytes, uintptr_t *entry);

/*
 * Task 9.3. Put the arguments of a program into its space, at USER_ARGS_VA, as
 * abi/program.h says, on one page that ring 3 may write: argv[0] is name, the others
 * the words of `words`, which one blank or more separate. Returns E_OK, E_INVAL if that
 * is more than ARGUMENTS_MOST or than fits on the page, or E_NOMEM. Context: interrupts
 * off.
 */
#define ARGUMENTS_MOST 32 /* with argv[0] */
int arguments_put(uintptr_t root_pa, const char *name, const char *words);

/* A program at work, and afterwards what is left of it until somebody has asked. */
struct process {
    struct space space; /* first: a thread's `process` points here */
    int pid;            /* from 1, never used again */
    char name[MODULE_NAME_BYTES];
    struct thread *thread; /* NULL when it has ended */
    intptr_t status;       /* how it has ended */
    struct process *next;  /* free for the list of all */
    struct memory *memory; /* free for later stages, as the next two */
    int parent;
    bool killed;
    int waits_for; /* the provided part's: the pid that its sys_wait was called with */
};

/*
 * Task 9.4. Start the program of the module `name` with these words: its image checked,
 * a space of its own with the program in it, its arguments, process_started() (pid and
 * name are set by then), and a thread that begins at its entry and whose `process` it
 * is; in this order.
 * Returns its pid; E_NOENT if there is no such module; otherwise the error of what did
 * not work, and then nothing of it is left, neither frames nor memory. Context: any in
 * the kernel; interrupts are as before when it returns.
 */
int process_start(const char *name, const char *words);

/*
 * Provided: they run the hooks of process.h. process_started: E_OK, or the error of one
 * of them, and then nothing of them is left. process_ended: undoes what they did.
 */
int process_started(struct process *process, const void *image, size_t bytes);
void process_ended(struct process *process);

/*
 * Task 9.4. The process with this pid, running or ended, or NULL. The one with the
 * least pid above `pid`, or NULL: so process_after(0) is the first. Context: interrupts
 * off.
 */
struct process *process_find(int pid);
struct process *process_after(int pid);

/*
 * Task 9.4. Somebody has asked for the status: an ended process is forgotten, and its
 * memory is free. Does nothing to one that runs. Context: interrupts off.
 */
void process_forget(struct process *process);

/*
 * Task 9.4, an exit hook: called in the context of a thread that ends, before its space
 * goes. If it is that of a process: notes the status, and calls process_ended().
 * Context: interrupts off.
 */
void process_exit(struct thread *thread, intptr_t status);

/*
 * Task 9.4, an end hook of the fault chain: a fault in ring 3 ends the process that it
 * came from, with STATUS_FAULT(vector) (abi/status.h), by user_exit. Returns if it is
 * none of a process's. Context: as fault_dispatch.
 */
void process_fault(struct trap_frame *frame);

#endif
