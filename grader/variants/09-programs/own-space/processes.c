/* SPDX-License-Identifier: MIT */
/* The newest process comes first; what failed is undone step by step. */
#include <abi/status.h>
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/trap.h>
#include <course/09-programs.h>
#include <memory.h>
#include <string.h>
#include <task.h>
#include <thread.h>

static struct process *newest;
static int next_pid = 1;

/* How many words there are, and how many bytes their texts have with a NUL each. */
static unsigned measure(const char *words, size_t *bytes)
{
    unsigned count = 0;

    while (*words) {
        if (*words == ' ') {
            words++;
            continue;
        }
        count++;
        for (; *words && *words != ' '; words++) {
            ++*bytes;
        }
        ++*bytes;
    }
    return count;
}

/* Directly behind the pointers the texts; the page begins at page, ring 3's at va. */
static void lay_out(char *page, const char *name, const char *words, unsigned argc)
{
    uintptr_t *word = (uintptr_t *)page;
    char *text = (char *)(word + argc + 2);

    *word++ = argc;
    *word++ = USER_ARGS_VA + (uintptr_t)(text - page);
    text = (char *)memcpy(text, name, strlen(name) + 1) + strlen(name) + 1;
    while (*words) {
        if (*words == ' ') {
            words++;
            continue;
        }
        *word++ = USER_ARGS_VA + (uintptr_t)(text - page);
        while (*words && *words != ' ') {
            *text++ = *words++;
        }
        *text++ = '\0';
    }
    *word = 0;
}

int arguments_put(uintptr_t root_pa, const char *name, const char *words)
{
    size_t bytes = strlen(name) + 1;
    const unsigned argc = 1 + measure(words, &bytes);
    uintptr_t frame_pa;
    char *page;

    if (argc > ARGUMENTS_MOST || bytes + (argc + 2) * sizeof(uintptr_t) > PAGE_BYTES) {
        return E_INVAL;
    }
    page = kmalloc(PAGE_BYTES);
    if (!page) {
        return E_NOMEM;
    }
    lay_out(page, name, words, argc);
    frame_pa = frame_alloc();
    if (frame_pa) {
        memcpy((void *)frame_pa, page, bytes + (argc + 2) * sizeof(uintptr_t));
        if (space_map(root_pa, USER_ARGS_VA, frame_pa, SPACE_WRITE)) {
            frame_free(frame_pa);
            frame_pa = 0;
        }
    }
    kfree(page);
    return frame_pa ? E_OK : E_NOMEM;
}

static int run(struct process *process, uintptr_t entry)
{
    const uintptr_t before = read_cr3();

    write_cr3(process->space.root_pa);
    process->thread = thread_create_user(entry);
    write_cr3(before);
    if (!process->thread) {
        process_ended(process);
        return E_NOMEM;
    }
    process->thread->process = process;
    return E_OK;
}

static int build(struct process *process, const struct module *module,
                 const char *words)
{
    const void *image = (const void *)module->start_pa;
    uintptr_t entry;
    int error;

    if ((error = elf_check(image, module->bytes))) {
        return error;
    }
    if (!(process->space.root_pa = space_create())) {
        return E_NOMEM;
    }
    if ((error = elf_load(process->space.root_pa, image, module->bytes, &entry)) ||
        (error = arguments_put(process->space.root_pa, module->name, words)) ||
        (error = process_started(process, image, module->bytes)) ||
        (error = run(process, entry))) {
        space_destroy(process->space.root_pa);
    }
    return error;
}

static int start(const struct module *module, const char *words)
{
    struct process *process = kzalloc(sizeof(*process));
    int error;

    if (!process) {
        return E_NOMEM;
    }
    memcpy(process->name, module->name, sizeof(process->name));
    process->pid = next_pid;
    error = build(process, module, words);
    if (error) {
        kfree(process);
        return error;
    }
    process->next = newest;
    newest = process;
    return next_pid++;
}

int process_start(const char *name, const char *words)
{
    const struct module *module = module_find(name);
    const bool were_on = cpu_flags() & EFLAGS_IF;
    int result;

    if (!module) {
        return E_NOENT;
    }
    cpu_cli();
    result = start(module, words);
    if (were_on) {
        cpu_sti();
    }
    return result;
}

struct process *process_find(int pid)
{
    for (struct process *p = newest; p; p = p->next) {
        if (p->pid == pid) {
            return p;
        }
    }
    return NULL;
}

struct process *process_after(int pid)
{
    struct process *found = NULL;

    for (struct process *p = newest; p && p->pid > pid; p = p->next) {
        found = p;
    }
    return found;
}

void process_forget(struct process *process)
{
    struct process **link = &newest;

    if (process->thread) {
        return;
    }
    for (; *link != process; link = &(*link)->next) {
    }
    *link = process->next;
    kfree(process);
}

void process_exit(struct thread *thread, intptr_t status)
{
    struct process *process = thread->process;

    if (process && process->thread == thread) {
        process->status = status;
        process_ended(process);
        process->thread = NULL;
    }
}

void process_fault(struct trap_frame *frame)
{
    if (frame->cs == SEL_UCODE && thread_current()->process) {
        user_exit(STATUS_FAULT(frame->vector));
    }
}
