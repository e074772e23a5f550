/* SPDX-License-Identifier: MIT */
/* Processes: their arguments, how they start, and what is left when they end. */
#include <abi/status.h>
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/trap.h>
#include <course/09-programs.h>
#include <memory.h>
#include <paging.h>
#include <string.h>
#include <task.h>
#include <thread.h>

/* BEGIN SOLUTION 9.3: a page that is filled from below by pointers, then by texts */
/* The length of the word at text. */
static size_t word_length(const char *text)
{
    size_t length = 0;

    while (text[length] != ' ' && text[length] != '\0') {
        length++;
    }
    return length;
}

static int fill_arguments(char *page, const char *name, const char *words)
{
    uintptr_t *argc = (uintptr_t *)page;
    uintptr_t *argv = argc + 1;
    size_t used = (ARGUMENTS_MOST + 2) * sizeof(*argc);
    size_t length = strlen(name);

    for (const char *word = name; length > 0 || *argc == 0;) {
        if (*argc == ARGUMENTS_MOST || length >= PAGE_BYTES - used) {
            return E_INVAL;
        }
        argv[(*argc)++] = USER_ARGS_VA + used;
        memcpy(page + used, word, length); /* the page is zeroed: a NUL follows */
        used += length + 1;
        word = word == name ? words : word + length;
        while (*word == ' ') {
            word++;
        }
        length = word_length(word);
    }
    return E_OK;
}
/* END SOLUTION 9.3 */

int arguments_put(uintptr_t root_pa, const char *name, const char *words)
{
    /* BEGIN SOLUTION 9.3: a page of the space, filled at its physical address */
    const uintptr_t frame_pa = frame_alloc();
    int error;

    if (frame_pa == 0) {
        return E_NOMEM;
    }
    error = fill_arguments((char *)frame_pa, name, words);
    if (error == E_OK) {
        error = space_map(root_pa, USER_ARGS_VA, frame_pa, SPACE_WRITE);
    }
    if (error != E_OK) {
        frame_free(frame_pa);
    }
    return error;
    /* END SOLUTION 9.3 */
}

/* BEGIN SOLUTION 9.4: the list of all, by pid */
static struct process *processes;
static int last_pid;

/* A thread of the process, whose stack is made in its space. */
static int start_thread(struct process *process, uintptr_t entry)
{
    const uintptr_t old_root = read_cr3();

    write_cr3(process->space.root_pa);
    process->thread = thread_create_user(entry);
    write_cr3(old_root);
    if (!process->thread) {
        return E_NOMEM;
    }
    process->thread->process = process;
    return E_OK;
}

static int fill(struct process *process, const struct module *module, const char *words)
{
    const void *image = (const void *)module->start_pa;
    uintptr_t entry = 0;
    int error = elf_check(image, module->bytes);

    if (error != E_OK) {
        return error;
    }
    process->space.root_pa = space_create();
    if (process->space.root_pa == 0) {
        return E_NOMEM;
    }
    error = elf_load(process->space.root_pa, image, module->bytes, &entry);
    if (error == E_OK) {
        error = arguments_put(process->space.root_pa, process->name, words);
    }
    if (error == E_OK) {
        error = process_started(process, image, module->bytes);
    }
    if (error == E_OK) {
        error = start_thread(process, entry);
        if (error != E_OK) {
            process_ended(process);
        }
    }
    if (error != E_OK) {
        space_destroy(process->space.root_pa);
    }
    return error;
}

static void append(struct process *process)
{
    struct process **link = &processes;

    while (*link) {
        link = &(*link)->next;
    }
    *link = process;
}
/* END SOLUTION 9.4 */

int process_start(const char *name, const char *words)
{
    /* BEGIN SOLUTION 9.4: all of it, or nothing */
    const struct module *module = module_find(name);
    struct process *process;
    uintptr_t flags;
    int result;

    if (!module) {
        return E_NOENT;
    }
    flags = cpu_flags();
    cpu_cli(); /* nobody may run it before it is complete */
    process = kzalloc(sizeof(*process));
    result = E_NOMEM;
    if (process) {
        strlcpy(process->name, name, sizeof(process->name));
        process->pid = last_pid + 1;
        result = fill(process, module, words);
        if (result == E_OK) {
            append(process);
            result = last_pid = process->pid;
        } else {
            kfree(process);
        }
    }
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
    return result;
    /* END SOLUTION 9.4 */
}

struct process *process_find(int pid)
{
    /* BEGIN SOLUTION 9.4: through the list */
    struct process *process = processes;

    while (process && process->pid != pid) {
        process = process->next;
    }
    return process;
    /* END SOLUTION 9.4 */
}

struct process *process_after(int pid)
{
    /* BEGIN SOLUTION 9.4: the list is in the order of the pids */
    struct process *process = processes;

    while (process && process->pid <= pid) {
        process = process->next;
    }
    return process;
    /* END SOLUTION 9.4 */
}

void process_forget(struct process *process)
{
    /* BEGIN SOLUTION 9.4: out of the list, if it has ended */
    struct process **link = &processes;

    if (process->thread) {
        return;
    }
    while (*link != process) {
        link = &(*link)->next;
    }
    *link = process->next;
    kfree(process);
    /* END SOLUTION 9.4 */
}

void process_exit(struct thread *thread, intptr_t status)
{
    /* BEGIN SOLUTION 9.4: note it for whoever asks */
    struct process *process = thread->process;

    if (process) {
        process->status = status;
        process->thread = NULL;
        process_ended(process);
    }
    /* END SOLUTION 9.4 */
}

void process_fault(struct trap_frame *frame)
{
    /* BEGIN SOLUTION 9.4: ring 3's faults end a process, the kernel's are its own */
    if (SEL_RPL(frame->cs) == 3 && thread_current()->process) {
        user_exit(STATUS_FAULT(frame->vector));
    }
    /* END SOLUTION 9.4 */
}
