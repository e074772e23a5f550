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
#include <syscall.h>

#define NOTES 512
#define NOTE_CALL 40

/* The call NOTE_CALL: what a process says, and when. */
struct note {
    int32_t pid;
    uint32_t ticks;
    uint64_t words[3];
};

struct note scenario_notes[NOTES];
uint32_t scenario_note_count;
int32_t scenario_left[IMAGES]; /* pids that are still known in the end */
uint32_t scenario_heap[2];     /* bytes in use, before and afterwards */

static intptr_t note(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    const uintptr_t flags = cpu_save_cli();
    struct note *n;

    n = &scenario_notes[scenario_note_count++ % NOTES];
    n->pid = ((const struct process *)thread_current()->process)->pid;
    n->ticks = (uint32_t)tick_count();
    for (unsigned i = 0; i < ARRAY_SIZE(n->words); i++) {
        n->words[i] = arguments[i];
    }
    cpu_restore(flags);
    return 0;
}

SYSCALL(NOTE_CALL, note);

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
    scenario_heap[0] = heap_used();
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
    scenario_heap[1] = heap_used();
}

SCENARIO("family-run", AFTER_ALL_INIT, run);
