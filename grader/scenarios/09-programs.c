/* SPDX-License-Identifier: MIT */
/*
 * Drives stage 09: images that are judged, one that is loaded and looked at from
 * outside, and processes from modules, all at once.
 */
#include "common.h"
#include "programs.h"

#include <memory.h>
#include <panic.h>
#include <string.h>

#define NO_THREADS 100
#define LISTED 40

int32_t scenario_checked[IMAGES]; /* elf_check of each module */
int32_t scenario_loaded[2];       /* elf_load, arguments_put */
uintptr_t scenario_root;
uintptr_t scenario_entry;
int32_t scenario_started[IMAGES];   /* process_start of each module, in order */
uintptr_t scenario_roots[IMAGES];   /* of those that run */
int64_t scenario_statuses[IMAGES];  /* when they have ended */
int32_t scenario_listed[3][LISTED]; /* pids: all run, all ended, half forgotten */
uint32_t scenario_found[3];         /* how many of them process_find finds */

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

/* The same with so few frames that it cannot end well. */
static void run_short(void)
{
    uintptr_t list = 0, frame_pa;
    unsigned left = (unsigned)cmdline_hex("left", 0);

    note_free(0);
    while ((frame_pa = frame_alloc()) != 0) {
        *(uintptr_t *)frame_pa = list;
        list = frame_pa;
    }
    for (; left > 0; left--) {
        const uintptr_t next = *(const uintptr_t *)list;

        frame_free(list);
        list = next;
    }
    scenario_started[0] = process_start("program", "");
    while (list != 0) {
        const uintptr_t next = *(const uintptr_t *)list;

        frame_free(list);
        list = next;
    }
    note_free(1);
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

/* Every module is started, with its own words; then all are waited for. */
static void run(void)
{
    cpu_cli();
    note_free(0);
    note_start(IMAGES - 1, process_start("nobody", ""));
    start_modules();
    list(0);
    wait_for_all();
    list(1);
    for (unsigned i = 0; i < IMAGES; i += 2) {
        forget(i);
    }
    list(2);
    thread_yield(); /* the last one's stack is freed by whoever comes next */
    note_free(1);
}

SCENARIO("elf-check", NO_THREADS, check);
SCENARIO("elf-load", NO_THREADS, load);
SCENARIO("programs-short", AFTER_ALL_INIT, run_short);
SCENARIO("programs-run", AFTER_ALL_INIT, run);
