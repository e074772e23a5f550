/* SPDX-License-Identifier: MIT */
/*
 * Drives stage 09: images that are judged, one that is loaded and looked at from
 * outside, and processes from modules, all at once.
 */
#include "common.h"
#include "programs.h"

#include <memory.h>
#include <panic.h>
#include <process.h>
#include <string.h>

#define NO_THREADS 100
#define LISTED 40
#define AGAIN (IMAGES - 3) /* in scenario_started: once more, when others have ended */
#define REFUSED (IMAGES - 2) /* its hook refuses it */
#define NOBODY (IMAGES - 1)  /* there is no such module */
#define SHORT_MOST 48

int32_t scenario_checked[IMAGES]; /* elf_check of each module */
int32_t scenario_loaded[2];       /* elf_load, arguments_put */
uintptr_t scenario_root;
uintptr_t scenario_entry;
int32_t scenario_listed[3][LISTED]; /* pids: all run, all ended, half forgotten */
uint32_t scenario_found[3];         /* how many of them process_find finds */
uint32_t scenario_ghosts;           /* forgotten ones that it still finds */
uint32_t scenario_flags[2];         /* IF behind process_start: it was off, it was on */
uintptr_t scenario_cr3[2];          /* before and behind process_start */
uint32_t scenario_used[2];  /* bytes of the kernel's heap, before and afterwards */
uint32_t scenario_hooks[3]; /* started, ended, started with another image */
uint32_t scenario_fit[4]; /* a word's length: longest, refused, then fits; its place */

/* process_start with this many frames, what was free before, and then. */
struct short_run {
    int32_t result;
    uint32_t frames[2];
    uint32_t used[2];
    uint32_t hooks[2]; /* started and ended by now */
} scenario_short[SHORT_MOST];
uint32_t scenario_short_count;
int32_t scenario_no_heap; /* process_start when the kernel's heap is full */

static bool refuses; /* process_started will fail */
static bool breaks;  /* the kernel itself will raise a fault, once */

static int hook_start(struct process *process, const void *image, size_t bytes)
{
    const struct module *module = module_find(process->name);

    if (refuses) {
        return E_AGAIN;
    }
    scenario_hooks[0]++;
    scenario_hooks[2] += !module || image != (const void *)module->start_pa ||
                         bytes != module->bytes || process->space.root_pa == 0;
    return E_OK;
}

static void hook_end(struct process *process)
{
    (void)process;
    scenario_hooks[1]++;
    if (breaks) {
        breaks = false;
        __asm__ volatile("ud2");
    }
}

PROCESS_HOOK(500, hook_start, hook_end);

static void check(void)
{
    const struct module *module;

    for (unsigned i = 0; i < IMAGES && (module = module_at(i)) != NULL; i++) {
        scenario_checked[i] = elf_check((const void *)module->start_pa, module->bytes);
    }
}

/* The module "program", with the module "words" as arguments, for nobody. */
static void load(void)
{
    const struct module *program = module_find("program");
    const char *words = scenario_module("words", 1);

    scenario_root = space_create();
    KASSERT(scenario_root && program);
    scenario_loaded[0] = elf_load(scenario_root, (const void *)program->start_pa,
                                  program->bytes, &scenario_entry);
    scenario_loaded[1] = arguments_put(scenario_root, program->name, words);
}

/* A word that gets longer until the page of the arguments is full. */
static void fit(void)
{
    static char text[2 * PAGE_BYTES];
    const uintptr_t root_pa = space_create();

    KASSERT(root_pa);
    KASSERT(arguments_put(root_pa, "name", "") == E_OK);
    frame_free(space_unmap(root_pa, USER_ARGS_VA)); /* the tables on the way stay */
    note_free(0);
    for (unsigned length = 1; length < sizeof(text); length++) {
        uintptr_t frame_pa;

        text[length - 1] = 'y';
        if (arguments_put(root_pa, "name", text) != E_OK) {
            scenario_fit[1] = scenario_fit[1] ? scenario_fit[1] : length;
            continue;
        }
        scenario_fit[2] += scenario_fit[1] != 0;
        frame_pa = space_unmap(root_pa, USER_ARGS_VA);
        scenario_fit[0] = length;
        scenario_fit[3] = (uint32_t)(((const uintptr_t *)frame_pa)[2] - USER_ARGS_VA);
        frame_free(frame_pa);
    }
    note_free(1);
}

/* With no frame, with one and so on, until there are enough; and without a heap. */
static void run_short(void)
{
    uint32_t bytes = 0;
    uintptr_t list = 0;

    cpu_cli();
    for (unsigned left = 0; left < SHORT_MOST; left++) {
        struct short_run *now = &scenario_short[left];

        list = take_more_frames(list, left);
        now->frames[0] = frames_left();
        now->used[0] = heap_used();
        now->result = process_start("program", "");
        now->frames[1] = frames_left();
        now->used[1] = heap_used();
        now->hooks[0] = scenario_hooks[0];
        now->hooks[1] = scenario_hooks[1];
        scenario_short_count++;
        if (now->result > 0) {
            break;
        }
    }
    give_frames(list);
    list = take_heap(&bytes);
    scenario_no_heap = process_start("program", "");
    give_heap(list);
}

static void list(unsigned when)
{
    unsigned count = 0;

    for (struct process *p = process_after(0); p && count < LISTED;
         p = process_after(p->pid)) {
        scenario_found[when] += process_find(p->pid) == p;
        scenario_listed[when][count++] = p->pid;
    }
}

/* Forget some of the modules' processes; those that are found afterwards are ghosts. */
static void forget_from(unsigned first)
{
    for (unsigned i = first; i < AGAIN; i += 2) {
        forget(i);
        if (scenario_started[i] > 0) {
            scenario_ghosts += process_find(scenario_started[i]) != NULL;
        }
    }
}

static const struct module *good_module(void)
{
    return module_at((unsigned)cmdline_hex("good", 0));
}

/* A pid that nobody has had; by now there may be a gap in the list. */
static void start_again(void)
{
    cpu_sti();
    scenario_started[AGAIN] = process_start(good_module()->name, good_module()->args);
    scenario_flags[1] = (cpu_flags() & EFLAGS_IF) != 0;
    cpu_cli();
    while (is_running(AGAIN)) {
        cpu_idle();
        cpu_cli();
    }
    forget(AGAIN);
}

static void run(void)
{
    cpu_cli();
    breaks = cmdline_hex("breaks", 0) != 0;
    note_free(0);
    scenario_used[0] = heap_used();
    note_start(NOBODY, process_start("nobody", ""));
    refuses = true;
    note_start(REFUSED, process_start(good_module()->name, ""));
    refuses = false;
    scenario_cr3[0] = read_cr3();
    start_modules();
    scenario_cr3[1] = read_cr3();
    scenario_flags[0] = (cpu_flags() & EFLAGS_IF) != 0;
    for (unsigned i = 0; i < AGAIN; i++) {
        if (is_running(i)) {
            forget(i); /* not yet */
        }
    }
    list(0);
    wait_for_all();
    list(1);
    forget_from(0);
    list(2);
    start_again();
    forget_from(1);
    thread_yield(); /* the last one's stack is freed by whoever comes next */
    note_free(1);
    scenario_used[1] = heap_used();
}

SCENARIO("elf-check", NO_THREADS, check);
SCENARIO("elf-load", NO_THREADS, load);
SCENARIO("args-fit", NO_THREADS, fit);
SCENARIO("programs-short", AFTER_ALL_INIT, run_short);
SCENARIO("programs-run", AFTER_ALL_INIT, run);
