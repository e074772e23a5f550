/* SPDX-License-Identifier: MIT */
/* The demo: a tiny program tries in ring 3 what only the kernel may. */
#include "demo.h"

#include <arch/segment.h>
#include <console.h>
#include <course/04-ring3.h>
#include <fault.h>
#include <init.h>
#include <memory.h>
#include <panic.h>
#include <string.h>

#define CODE_VA (USER_BASE + 0x1000)
#define STACK_VA (USER_BASE + 0x3000)
#define STACK_TOP (STACK_VA + PAGE_BYTES)

/* A frame that ring 3 sees at va; the kernel sees it at the address returned. */
static uintptr_t demo_page(uintptr_t va, unsigned flags)
{
    const uintptr_t frame_pa = frame_alloc();

    KASSERT(frame_pa != 0);
    KASSERT(user_map(va, frame_pa, flags) == E_OK);
    return frame_pa;
}

static void demo_run(const char *entry, const char *what)
{
    unsigned vector;

    kprintf("Ring 3 %s ...\n", what);
    vector = ring3_run(CODE_VA + (uintptr_t)(entry - demo_user_start), STACK_TOP);
    kprintf("... and the kernel is back, by vector %u (%s).\n\n", vector,
            vector_name(vector));
}

static void demo(void)
{
    const uintptr_t code_pa = demo_page(CODE_VA, 0);
    const uintptr_t stack_pa = demo_page(STACK_VA, USER_MAP_WRITE);
    const struct demo_seen *seen =
        (const struct demo_seen *)(stack_pa + PAGE_BYTES) - 1;

    memcpy((void *)code_pa, demo_user_start, (size_t)(demo_user_end - demo_user_start));
    demo_run(demo_user_port, "reads port 0x60, the keyboard's");
    kprintf("It saw CS 0x%04x (RPL %u), SS 0x%04x, flags 0x%08x.\n\n",
            (unsigned)(seen->cs & 0xffff), (unsigned)SEL_RPL(seen->cs),
            (unsigned)(seen->ss & 0xffff), (unsigned)seen->flags);
    demo_run(demo_user_cli, "switches interrupts off");
    demo_run(demo_user_kernel, "reads the kernel's first page");
    kprintf("Whether that was ring 3, only the CPU knows: see the sheet.\n");
}

SCENARIO("demo", AFTER_ALL_INIT, demo);
