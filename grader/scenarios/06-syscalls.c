/* SPDX-License-Identifier: MIT */
/*
 * Drives stage 06: ring-3 threads whose calls are the grader's own, which note what
 * arrives, and the calls of the stage; and the pointer check, asked directly.
 */
#include "06-syscalls.h"
#include "common.h"

#include <arch/cpu.h>
#include <arch/segment.h>
#include <console.h>
#include <course/06-syscalls.h>
#include <fault.h>
#include <init.h>
#include <memmap.h>
#include <paging.h>
#include <panic.h>
#include <program.h>
#include <string.h>
#include <thread.h>

#define NOTES 512
#define RESULTS 64
#define THREADS 8
#define SECRET_BYTES 32
/* The UART's FIFO control: take in 14 characters at a time. PC16550D, 8.5. */
#define UART_FIFO 0x3fa
#define FIFO_BY_FOURTEEN 0xc1
#define PROMPT_POLLS 50000000u /* many times what a loaded host needs to type */

/* Module "pages": user pages, filled from the module "blob". */
struct page {
    uint64_t va;
    uint32_t offset;
    uint32_t bytes;
    uint32_t flags; /* as below */
} PACKED;
#define PAGE_READ_ONLY 0x1
#define PAGE_SUPERVISOR 0x2

/* Module "checks": what user_check is asked. */
struct question {
    uint64_t va;
    uint64_t bytes;
    uint32_t write;
} PACKED;

/* One call of the grader's own. */
struct note {
    uint32_t number;
    uint32_t thread;
    uint64_t ticks;
    uintptr_t arguments[SYSCALL_ARGUMENTS];
    uintptr_t word; /* what was read or written in ring 3's memory */
};

struct end {
    uint32_t thread;
    uint32_t vector; /* VEC_COUNT: by user_exit */
    intptr_t status;
};

struct note scenario_notes[NOTES];
uint32_t scenario_note_count;
struct end scenario_ends[THREADS];
uint32_t scenario_end_count;
uintptr_t scenario_kernel_tops[THREADS]; /* by position in the module "starts" */
uint32_t scenario_ids[THREADS];
int32_t scenario_answers[RESULTS];
char scenario_secret[SECRET_BYTES];
uint32_t scenario_count; /* syscall_count() */

static uint32_t started;
static uint64_t last_tick;
static uint64_t prompt_tick;

/* Results that nobody can guess: module "returns", one word of 64 bits and its step. */
static intptr_t next_return(uint32_t nth)
{
    const uint64_t *returns = scenario_module("returns", 2 * sizeof(uint64_t));

    return (intptr_t)(uintptr_t)(returns[0] + nth * returns[1]);
}

static struct note *note(uint32_t number, const uintptr_t *arguments)
{
    struct note *n;
    uintptr_t flags;

    scenario_served(thread_current()->id);
    flags = cpu_save_cli(); /* or a tick gives the same note to another thread */
    n = &scenario_notes[scenario_note_count++ % NOTES];
    n->number = number;
    n->thread = thread_current()->id;
    n->ticks = tick_count();
    memcpy(n->arguments, arguments, sizeof(n->arguments));
    cpu_restore(flags);
    return n;
}

/* How many calls the thread has noted before. */
static uint32_t nth_of(const struct note *last)
{
    uint32_t nth = 0;

    for (const struct note *n = scenario_notes; n < last; n++) {
        nth += n->thread == last->thread;
    }
    return nth;
}

/* Eight calls that only note: which one was it? */
#define NOTING(nr)                                                                     \
    static intptr_t note_##nr(const uintptr_t arguments[SYSCALL_ARGUMENTS])            \
    {                                                                                  \
        return next_return(nth_of(note(nr, arguments)));                               \
    }                                                                                  \
    SYSCALL(nr, note_##nr)

NOTING(40);
NOTING(41);
NOTING(42);
NOTING(43);
NOTING(44);
NOTING(45);
NOTING(46);
NOTING(47);

/*
 * The calls of user/probes/stubs.c: note; note and store a word; note and look; look
 * and store where the thread stored last.
 */
NOTING(48);

static intptr_t note_store(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    struct note *n = note(49, arguments);

    n->word = (uintptr_t)next_return(nth_of(n)) ^ 1;
    if (user_page_query(arguments[0], true)) {
        *(uintptr_t *)arguments[0] = n->word;
    }
    return next_return(nth_of(n));
}

static intptr_t note_look(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    struct note *n = note(50, arguments);

    if (user_page_query(arguments[0], false)) {
        n->word = *(const uintptr_t *)arguments[0];
    }
    return next_return(nth_of(n));
}

SYSCALL(49, note_store);
SYSCALL(50, note_look);

static intptr_t note_again(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    struct note *n = note(51, arguments);
    uintptr_t at = 0;

    for (const struct note *old = scenario_notes; old < n; old++) {
        at = old->thread == n->thread && old->number == 49 ? old->arguments[0] : at;
    }
    if (user_page_query(at, true)) {
        n->word = *(const uintptr_t *)at;
        *(uintptr_t *)at = (uintptr_t)next_return(nth_of(n)) ^ 1;
    }
    return next_return(nth_of(n));
}

SYSCALL(51, note_again);

/* A thread of the plan has ended: the last one ends the scenario. */
static void note_end(uint32_t thread, uint32_t vector, intptr_t status)
{
    cpu_cli();
    if (scenario_end_count < THREADS) {
        scenario_ends[scenario_end_count] = (struct end){thread, vector, status};
    }
    if (++scenario_end_count == started) {
        scenario_finish();
    }
}

static void note_fault(struct trap_frame *frame)
{
    if (started && SEL_RPL(frame->cs) == 3) {
        note_end(thread_current()->id, frame->vector, 0);
    }
}

static void note_exit(struct thread *thread, intptr_t status)
{
    if (started) {
        note_end(thread->id, VEC_COUNT, status);
    }
}

static void finish_at_tick(uint64_t ticks)
{
    if (last_tick && ticks >= last_tick) {
        scenario_finish();
    }
}

/*
 * Asks the grader to type, and takes the first character of that. No tick comes before
 * it is there, so whoever reads without waiting has found nothing by now, on whatever
 * host; and from here on more is there than a read of one byte may take.
 */
static void prompt(uint64_t ticks)
{
    if (prompt_tick && ticks == prompt_tick) {
        outb(UART_FIFO, FIFO_BY_FOURTEEN);
        kprintf("[ringlab] type now\n");
        for (unsigned polls = 0; polls < PROMPT_POLLS && console_poll() < 0; polls++) {
            cpu_pause();
        }
    }
}

FAULT_END(100, note_fault);
EXIT_HOOK(100, note_exit);
TICK_HOOK(890, prompt);
TICK_HOOK(900, finish_at_tick);

static void map_pages(void)
{
    const struct module *module = module_find("pages");
    const struct page *pages = scenario_module("pages", sizeof(*pages));

    for (unsigned i = 0; i < module->bytes / sizeof(*pages); i++) {
        const uintptr_t va = (uintptr_t)pages[i].va;
        char *page = scenario_user_page(va);

        if (pages[i].bytes) {
            const char *blob =
                scenario_module("blob", pages[i].offset + pages[i].bytes);

            memcpy(page, blob + pages[i].offset, pages[i].bytes);
        }
        if (pages[i].flags & PAGE_READ_ONLY) {
            *pte_slot(va, 1) &= ~(pte_t)PTE_WRITE;
        }
        if (pages[i].flags & PAGE_SUPERVISOR) {
            *pte_slot(va, 1) &= ~(pte_t)PTE_USER;
        }
        tlb_flush_page(va);
    }
}

static void prepare(void)
{
    memcpy(scenario_secret, scenario_module("secret", SECRET_BYTES), SECRET_BYTES);
    scenario_count = (uint32_t)syscall_count();
    last_tick = cmdline_hex("ticks", 0);
    prompt_tick = cmdline_hex("prompt", 0);
}

static void start(uintptr_t entry)
{
    struct thread *thread = thread_create_user(entry);

    KASSERT(thread && started < THREADS);
    scenario_kernel_tops[started] = thread->kernel_top;
    scenario_ids[started] = thread->id;
    started++;
}

NORETURN static void wait(void)
{
    for (;;) {
        cpu_idle();
    }
}

/* Threads of module "starts", until all have ended or the tick "ticks" has come. */
static void run(void)
{
    const uint64_t *starts = scenario_module("starts", sizeof(*starts));
    const size_t count = module_find("starts")->bytes / sizeof(*starts);

    prepare();
    map_pages();
    for (unsigned i = 0; i < count; i++) {
        start((uintptr_t)starts[i]);
    }
    wait();
}

/* C programs: the modules "plain" and "optimised". */
static void programs(void)
{
    static const char *const names[] = {"plain", "optimised"};

    prepare();
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        const struct module *module = module_find(names[i]);
        const uintptr_t entry = module ? program_load(module) : 0;

        KASSERT(entry);
        start(entry);
    }
    wait();
}

/* The pointer check alone: no ring 3, no interrupts. */
static void ask(void)
{
    const struct question *questions = scenario_module("checks", sizeof(*questions));
    const size_t count = module_find("checks")->bytes / sizeof(*questions);

    KASSERT(count <= RESULTS);
    map_pages();
    for (unsigned i = 0; i < count; i++) {
        scenario_answers[i] =
            user_check((uintptr_t)questions[i].va, (size_t)questions[i].bytes,
                       questions[i].write != 0);
    }
}

SCENARIO("syscalls-run", AFTER_ALL_INIT, run);
SCENARIO("syscalls-programs", AFTER_ALL_INIT, programs);
SCENARIO("syscalls-check", AFTER_ALL_INIT, ask);
