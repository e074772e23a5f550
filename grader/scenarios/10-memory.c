/* SPDX-License-Identifier: MIT */
/*
 * Drives stage 10: areas of a process that never runs; and programs whose memory comes
 * when it is touched, with a call of the grader's own that notes what they have.
 */
#include "common.h"
#include "programs.h"

#include <course/10-memory.h>
#include <fault.h>
#include <memory.h>
#include <process.h>
#include <string.h>
#include <syscall.h>

#define QUESTIONS 256
#define NOTES 256
#define AREAS 16
#define LIVES 200
#define LIFE_AREAS 12
#define NARROW_MOST 40
#define MORE_BYTES (4 * PAGE_BYTES)

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

/* An area of the process that asked to stop, and its heap. */
struct held {
    uint64_t start;
    uint64_t end;
    uint64_t rights;
};

struct answer scenario_answers[QUESTIONS];
struct note scenario_notes[NOTES];
uint32_t scenario_note_count;
struct held scenario_areas[AREAS];
uint64_t scenario_heap;    /* where its heap begins */
uint32_t scenario_used[2]; /* bytes of the kernel's heap, before and afterwards */
uint32_t scenario_kept;    /* lives after which process->memory is not NULL */
/* Lives with little heap: good, E_NOMEM, another error, memory kept, heap lost. */
uint32_t scenario_narrow[5];

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

/* Free that many of the blocks, the smallest first; returns the others. */
static uintptr_t give_some(uintptr_t list, unsigned count)
{
    for (; list != 0 && count > 0; count--) {
        void *block = (void *)list;

        list = *(const uintptr_t *)list;
        kfree(block);
    }
    return list;
}

/*
 * With no heap, with a little of it and so on; every other time also with as much as
 * struct memory needs, so that memory_start gets that, and no area.
 */
static void narrow(void)
{
    static struct process process;

    for (unsigned some = 0; some < NARROW_MOST; some++) {
        const uint32_t before = heap_used();
        void *hole = some % 2 != 0 ? kmalloc(sizeof(struct memory)) : NULL;
        uint32_t bytes = 0;
        uintptr_t list = give_some(take_heap(&bytes), some / 2);

        kfree(hole);
        if (memory_start(&process, PROGRAM_LOW) == E_OK) {
            int error = E_OK;

            for (unsigned i = 0; i < LIFE_AREAS && error == E_OK; i++) {
                const uintptr_t start = PROGRAM_LOW + 2 * PAGE_BYTES * i;

                error = area_add(&process, start, start + PAGE_BYTES, 0);
            }
            scenario_narrow[error == E_OK ? 0 : (error == E_NOMEM ? 1 : 2)]++;
            memory_end(&process);
        } else {
            scenario_narrow[3] += process.memory != NULL;
            process.memory = NULL;
        }
        give_heap(list);
        scenario_narrow[4] += heap_used() != before;
    }
}

static void lives(void)
{
    static struct process process;

    scenario_used[0] = heap_used();
    for (unsigned life = 0; life < LIVES; life++) {
        KASSERT(memory_start(&process, PROGRAM_LOW) == E_OK);
        for (unsigned i = 1; i <= LIFE_AREAS; i++) {
            const uintptr_t start = PROGRAM_LOW + 16 * PAGE_BYTES * i;

            KASSERT(area_add(&process, start, start + PAGE_BYTES, 0) == E_OK);
        }
        memory_end(&process);
        scenario_kept += process.memory != NULL;
    }
    scenario_used[1] = heap_used();
    narrow();
}

static int add_from(struct process *process, const char *word, unsigned rights)
{
    const uintptr_t start = (uintptr_t)cmdline_hex(word, 0);

    return start ? area_add(process, start, start + MORE_BYTES, rights) : E_OK;
}

/* Areas that no program brings, where the command line says. */
static int more_areas(struct process *process, const void *image, size_t bytes)
{
    const int error = add_from(process, "constants", 0);

    (void)image;
    (void)bytes;
    return error == E_OK ? add_from(process, "stop", SPACE_WRITE) : error;
}

static void no_more(struct process *process)
{
    (void)process;
}

PROCESS_HOOK(500, more_areas, no_more);

/* A fault that is none of the page's finds in CR2 what an earlier one has left. */
static bool leave_address(struct trap_frame *frame)
{
    const uintptr_t left = (uintptr_t)cmdline_hex("left", 0);

    if (frame->vector != VEC_PF && left != 0) {
        write_cr2(left);
    }
    return false;
}

FAULT_REPAIR(050, leave_address);

/* In the middle of a process's life: the grader sees what it has. */
static __attribute__((noreturn)) void stop_here(const struct process *process)
{
    const struct area *area = area_after(process, USER_BASE);

    for (unsigned i = 0; i < AREAS && area != NULL; i++) {
        scenario_areas[i].start = area->start;
        scenario_areas[i].end = area->end;
        scenario_areas[i].rights = area->rights;
        area = area_after(process, area->end);
    }
    scenario_heap = process->memory->heap_start;
    scenario_finish();
}

static intptr_t note(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    const struct process *process = thread_current()->process;
    const uintptr_t flags = cpu_save_cli();
    struct note *n;
    const struct area *area;

    if (arguments[0] == 's') {
        stop_here(process);
    }
    n = &scenario_notes[scenario_note_count++ % NOTES];
    n->pid = process->pid;
    for (unsigned i = 0; i < ARRAY_SIZE(n->words); i++) {
        n->words[i] = arguments[i];
    }
    n->heap_start = process->memory->heap_start;
    n->heap_end = process->memory->heap_end;
    area = area_find(process, process->memory->heap_start);
    n->area_end = area ? area->end : 0;
    n->frames = frames_left();
    cpu_restore(flags);
    return 0;
}

SYSCALL(NOTE_CALL, note);

static void run(void)
{
    cpu_cli();
    scenario_used[0] = heap_used();
    note_free(0);
    start_modules();
    wait_for_all();
    thread_yield(); /* the last one's stack is freed by whoever comes next */
    note_free(1);
    for (unsigned i = 0; i < IMAGES; i++) {
        forget(i);
    }
    scenario_used[1] = heap_used();
}

/* One after the other, with so few frames that it cannot go on for long. */
static void run_short(void)
{
    static const char *const words[] = {"left0", "left1"};

    cpu_cli();
    note_free(0);
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        const struct module *module = module_at(i);
        uintptr_t list;

        KASSERT(module);
        note_start(i, process_start(module->name, module->args));
        list = take_frames((unsigned)cmdline_hex(words[i], 0));
        wait_for_all();
        give_frames(list);
    }
    thread_yield(); /* the last one's stack is freed by whoever comes next */
    note_free(1);
}

SCENARIO("memory-areas", 100, areas);
SCENARIO("memory-lives", 100, lives);
SCENARIO("memory-short", AFTER_ALL_INIT, run_short);
SCENARIO("memory-run", AFTER_ALL_INIT, run);
