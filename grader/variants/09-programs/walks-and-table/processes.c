/* SPDX-License-Identifier: MIT */
/* Processes in a fixed table, whose free rows have pid 0. */
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

#define ROWS 96

static struct process table[ROWS];
static int pids;

/* Texts grow from the end of the page downwards, pointers from its begin upwards. */
struct page {
    char *bytes;
    size_t low;  /* behind the last pointer */
    size_t high; /* the last text */
    uintptr_t count;
};

static int put(struct page *page, const char *text, size_t length)
{
    uintptr_t *words = (uintptr_t *)page->bytes;

    if (page->count == ARGUMENTS_MOST || length + 1 > page->high - page->low ||
        page->high - page->low - (length + 1) < 2 * sizeof(*words)) {
        return E_INVAL;
    }
    page->high -= length + 1;
    memcpy(page->bytes + page->high, text, length);
    page->bytes[page->high + length] = '\0';
    words[0] = ++page->count;
    words[page->count] = USER_ARGS_VA + page->high;
    words[page->count + 1] = 0;
    page->low += sizeof(*words);
    return E_OK;
}

static int put_all(struct page *page, const char *name, const char *words)
{
    const char *end;

    if (put(page, name, strlen(name)) != E_OK) {
        return E_INVAL;
    }
    for (; *words != '\0'; words = end) {
        for (; *words == ' '; words++) {
        }
        for (end = words; *end != ' ' && *end != '\0'; end++) {
        }
        if (end != words && put(page, words, (size_t)(end - words)) != E_OK) {
            return E_INVAL;
        }
    }
    return E_OK;
}

int arguments_put(uintptr_t root_pa, const char *name, const char *words)
{
    const uintptr_t frame_pa = frame_alloc();
    struct page page = {
        .bytes = (char *)frame_pa, .low = sizeof(uintptr_t), .high = PAGE_BYTES};

    if (frame_pa == 0) {
        return E_NOMEM;
    }
    if (put_all(&page, name, words) != E_OK) {
        frame_free(frame_pa);
        return E_INVAL;
    }
    if (space_map(root_pa, USER_ARGS_VA, frame_pa, SPACE_WRITE) != E_OK) {
        frame_free(frame_pa);
        return E_NOMEM;
    }
    return E_OK;
}

struct process *process_find(int pid)
{
    for (unsigned row = 0; row < ROWS; row++) {
        if (pid != 0 && table[row].pid == pid) {
            return &table[row];
        }
    }
    return NULL;
}

struct process *process_after(int pid)
{
    struct process *best = NULL;

    for (unsigned row = 0; row < ROWS; row++) {
        if (table[row].pid > pid && (!best || table[row].pid < best->pid)) {
            best = &table[row];
        }
    }
    return best;
}

static struct process *free_row(void)
{
    for (unsigned row = 0; row < ROWS; row++) {
        if (table[row].pid == 0) {
            return &table[row];
        }
    }
    return NULL;
}

/* All behind the module's name; on an error the caller has to clear the row. */
static int begin(struct process *process, const struct module *module,
                 const char *words)
{
    const void *image = (const void *)module->start_pa;
    const uintptr_t before = read_cr3();
    uintptr_t entry;
    int error = elf_check(image, module->bytes);

    if (error != E_OK) {
        return error;
    }
    process->space.root_pa = space_create();
    if (process->space.root_pa == 0) {
        return E_NOMEM;
    }
    error = elf_load(process->space.root_pa, image, module->bytes, &entry);
    if (error != E_OK) {
        goto no_space;
    }
    error = arguments_put(process->space.root_pa, process->name, words);
    if (error != E_OK) {
        goto no_space;
    }
    error = process_started(process, image, module->bytes);
    if (error != E_OK) {
        goto no_space;
    }
    write_cr3(process->space.root_pa);
    process->thread = thread_create_user(entry);
    write_cr3(before);
    if (process->thread) {
        process->thread->process = process;
        return E_OK;
    }
    error = E_NOMEM;
    process_ended(process);
no_space:
    space_destroy(process->space.root_pa);
    return error;
}

int process_start(const char *name, const char *words)
{
    const struct module *module = module_find(name);
    const uintptr_t flags = cpu_flags();
    struct process *process;
    int result = E_NOMEM;

    cpu_cli();
    process = module ? free_row() : NULL;
    if (!module) {
        result = E_NOENT;
    } else if (process) {
        memset(process, 0, sizeof(*process));
        process->pid = pids + 1;
        strlcpy(process->name, name, sizeof(process->name));
        result = begin(process, module, words);
        if (result == E_OK) {
            result = ++pids;
        } else {
            process->pid = 0;
        }
    }
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
    return result;
}

void process_forget(struct process *process)
{
    if (!process->thread) {
        process->pid = 0;
    }
}

void process_exit(struct thread *thread, intptr_t status)
{
    struct process *process = thread->process;

    if (!process) {
        return;
    }
    process_ended(process);
    process->status = status;
    process->thread = NULL;
}

void process_fault(struct trap_frame *frame)
{
    struct thread *thread = thread_current();

    if (SEL_RPL(frame->cs) != 3 || !thread || !thread->process) {
        return;
    }
    user_exit(STATUS_FAULT(frame->vector));
}
