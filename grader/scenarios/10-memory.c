/* SPDX-License-Identifier: MIT */
/*
 * Drives stage 10: areas of a process that never runs; and programs whose memory comes
 * when it is touched, with a call of the grader's own that notes what they have.
 */
#include "common.h"
#include "programs.h"

#include <course/10-memory.h>
#include <memory.h>
#include <string.h>
#include <syscall.h>

#define QUESTIONS 256
#define NOTES 256
#define LIVES 200
#define LIFE_AREAS 12
#define BLOCK_BYTES 1024

/* Module "questions", asked in this order. */
struct question {
    uint64_t start;
    uint64_t end;
    uint32_t kind;
    uint32_t rights;
} PACKED;
#define QUESTION_ADD 0
#define QUESTION_FIND 1
#define QUESTION_AFTER 2

/* The answer: an error, or the area that was found. */
struct answer {
    int32_t error;
    uint32_t rights;
    uint64_t start; /* 0: none */
    uint64_t end;
};

/* The call NOTE_CALL: what a program says, and what it has then. */
struct note {
    int32_t pid;
    uint32_t frames; /* free ones of the machine */
    uint64_t words[3];
    uint64_t heap_start;
    uint64_t heap_end;
    uint64_t area_end; /* of the heap; 0: none */
};
#define NOTE_CALL 40

struct answer scenario_answers[QUESTIONS];
struct note scenario_notes[NOTES];
uint32_t scenario_note_count;
uint32_t scenario_blocks[2]; /* of the kernel's heap, before and after many lives */

static void areas(void)
{
    static struct process process;
    const struct module *module = module_find("questions");
    const struct question *q = scenario_module("questions", sizeof(*q));

    KASSERT(memory_start(&process, (uintptr_t)cmdline_hex("heap", 0)) == E_OK);
    for (unsigned i = 0; i < module->bytes / sizeof(*q); i++, q++) {
        struct answer *a = &scenario_answers[i];
        const struct area *found = NULL;

        KASSERT(i < QUESTIONS);
        if (q->kind == QUESTION_ADD) {
            a->error =
                area_add(&process, (uintptr_t)q->start, (uintptr_t)q->end, q->rights);
        } else if (q->kind == QUESTION_FIND) {
            found = area_find(&process, (uintptr_t)q->start);
        } else {
            found = area_after(&process, (uintptr_t)q->start);
        }
        if (found) {
            a->start = found->start;
            a->end = found->end;
            a->rights = found->rights;
        }
    }
}

/* How many blocks the kernel's heap still has. */
static uint32_t count_blocks(void)
{
    uintptr_t *list = NULL, *block;
    uint32_t count = 0;

    while ((block = kmalloc(BLOCK_BYTES)) != NULL) {
        *block = (uintptr_t)list;
        list = block;
        count++;
    }
    while (list) {
        block = (uintptr_t *)*list;
        kfree(list);
        list = block;
    }
    return count;
}

static void lives(void)
{
    static struct process process;

    scenario_blocks[0] = count_blocks();
    for (unsigned life = 0; life < LIVES; life++) {
        KASSERT(memory_start(&process, PROGRAM_LOW) == E_OK);
        for (unsigned i = 1; i <= LIFE_AREAS; i++) {
            const uintptr_t start = PROGRAM_LOW + 16 * PAGE_BYTES * i;

            KASSERT(area_add(&process, start, start + PAGE_BYTES, 0) == E_OK);
        }
        memory_end(&process);
        KASSERT(process.memory == NULL);
    }
    scenario_blocks[1] = count_blocks();
}

static intptr_t note(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    const struct process *process = thread_current()->process;
    const uintptr_t flags = cpu_flags();
    struct note *n;
    const struct area *area;

    cpu_cli();
    n = &scenario_notes[scenario_note_count++ % NOTES];
    n->pid = process->pid;
    for (unsigned i = 0; i < ARRAY_SIZE(n->words); i++) {
        n->words[i] = arguments[i];
    }
    n->heap_start = process->memory->heap_start;
    n->heap_end = process->memory->heap_end;
    area = area_find(process, process->memory->heap_start);
    n->area_end = area ? area->end : 0;
    note_free(1);
    for (unsigned i = 0; i < scenario_free_counts[1] && i < RANGES; i++) {
        n->frames += scenario_free[1][i].frames;
    }
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
    return 0;
}

SYSCALL(NOTE_CALL, note);

static void run(void)
{
    cpu_cli();
    note_free(0);
    start_modules();
    wait_for_all();
    thread_yield(); /* the last one's stack is freed by whoever comes next */
    note_free(1);
}

SCENARIO("memory-areas", 100, areas);
SCENARIO("memory-lives", 100, lives);
SCENARIO("memory-run", AFTER_ALL_INIT, run);
