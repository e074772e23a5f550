/* SPDX-License-Identifier: MIT */
/*
 * Drives stage 11: the first module is started with its words; what it and its children
 * say through a call of the grader's own is noted, and what is left when all have
 * ended.
 */
#include "common.h"
#include "programs.h"

#include <course/11-shell.h>
#include <memory.h>
#include <process.h>
#include <syscall.h>

#define NOTES 512
#define NOTE_CALL 40

/* 8259A data sheet, "Operation Command Word 3": its port then tells what waits. */
#define PIC1_COMMAND 0x20
#define PIC_READ_REQUESTS 0x0a
#define PIC_READS 1000000 /* far more than there are in a tick */

/* The call NOTE_CALL: what a process says, and whose child it is then. */
struct note {
    int32_t pid;
    int32_t parent;
    uint64_t words[3];
};

struct note scenario_notes[NOTES];
uint32_t scenario_note_count;
int32_t scenario_left[IMAGES]; /* pids that are still known in the end */
uint32_t scenario_used[2];     /* bytes in use, before and afterwards */

static intptr_t note(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    const struct process *process = thread_current()->process;
    const uintptr_t flags = cpu_save_cli();
    struct note *n;

    n = &scenario_notes[scenario_note_count++ % NOTES];
    n->pid = process->pid;
    n->parent = process->parent;
    for (unsigned i = 0; i < ARRAY_SIZE(n->words); i++) {
        n->words[i] = arguments[i];
    }
    cpu_restore(flags);
    return 0;
}

SYSCALL(NOTE_CALL, note);

/*
 * With the word "pending" a tick waits, in the middle of each spawn, for interrupts to
 * be on again: whoever turns them on is interrupted there, and the child has its turn.
 */
static int let_a_tick_wait(struct process *process, const void *image, size_t bytes)
{
    (void)process;
    (void)image;
    (void)bytes;
    if (cmdline_hex("pending", 0) != 0 && thread_current()->process) {
        outb(PIC1_COMMAND, PIC_READ_REQUESTS);
        for (unsigned reads = 0; reads < PIC_READS && !(inb(PIC1_COMMAND) & 1);
             reads++) {
        }
    }
    return E_OK;
}

static void no_more(struct process *process)
{
    (void)process;
}

PROCESS_HOOK(500, let_a_tick_wait, no_more);

static bool anybody_runs(void)
{
    for (const struct process *p = process_after(0); p; p = process_after(p->pid)) {
        if (p->thread) {
            return true;
        }
    }
    return false;
}

static void run(void)
{
    const struct module *first = module_at(0);
    const uint64_t most = cmdline_hex("most", 2000);
    unsigned left = 0;

    KASSERT(first);
    cpu_cli();
    note_free(0);
    scenario_used[0] = heap_used();
    note_start(0, process_start(first->name, first->args));
    while (anybody_runs() && tick_count() < most) {
        cpu_idle();
        cpu_cli();
    }
    if (scenario_started[0] > 0) {
        scenario_statuses[0] = process_find(scenario_started[0])->status;
        forget(0);
    }
    thread_yield(); /* the last one's stack is freed by whoever comes next */
    for (const struct process *p = process_after(0); p && left < IMAGES;
         p = process_after(p->pid)) {
        scenario_left[left++] = p->pid;
    }
    note_free(1);
    scenario_used[1] = heap_used();
}

SCENARIO("family-run", AFTER_ALL_INIT, run);
