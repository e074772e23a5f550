/* SPDX-License-Identifier: MIT */
/* The order in which the kernel comes up, and the choice of what it then does. */
#include <console.h>
#include <drivers.h>
#include <init.h>
#include <kernel.h>
#include <memory.h>
#include <multiboot.h>
#include <paging.h>
#include <string.h>

extern const struct init_entry table_init_start[], table_init_end[];
extern const struct scenario table_scenario_start[], table_scenario_end[];

static const struct scenario *scenario_find(const char *name)
{
    for (const struct scenario *s = table_scenario_start; s < table_scenario_end; s++) {
        if (strcmp(s->name, name) == 0) {
            return s;
        }
    }
    panic("there is no scenario \"%s\" in this image", name);
}

static void init_run(unsigned upto)
{
    for (const struct init_entry *e = table_init_start; e < table_init_end; e++) {
        if (e->order < upto) {
            e->fn();
        }
    }
}

NORETURN void kernel_main(uint32_t magic, uintptr_t info_pa);

void kernel_main(uint32_t magic, uintptr_t info_pa)
{
    char name[32] = "demo";
    const struct scenario *scenario;

    idt_init();
    console_init();
    multiboot_init(magic, info_pa);
    paging_init();
    heap_init();
    pic_init();

    cmdline_text("scenario", name, sizeof(name));
    scenario = scenario_find(name);
    init_run(scenario->upto);
    scenario->fn();
    kprintf("[ringlab] end of %s\n", name);
    scenario_done();
}
