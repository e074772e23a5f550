/* SPDX-License-Identifier: MIT */
/*
 * The demo: rows of K and U that fill while kernel and user threads take turns, first
 * one and one, then two and three. There are no system calls yet, so user threads write
 * to the screen themselves, through a page of theirs that shows the VGA's frame, and
 * read the time from another. When its row is full, a thread writes the ring that it
 * finds in its own CS; then a kernel thread returns, and a user thread, which has no
 * way to end, executes ud2, and the fault ends it.
 *
 * Words of the command line, hexadecimal: "cells" of a row, "pace" in ticks a cell.
 */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <console.h>
#include <course/04-ring3.h>
#include <drivers.h>
#include <init.h>
#include <memory.h>
#include <multiboot.h>
#include <panic.h>
#include <string.h>
#include <thread.h>

#define TOP_ROW 12 /* of the screen; what kprintf writes stays above */
#define FIRST_CELL 17
#define CELLS 48
#define CELLS_MOST 54
#define PACE 40

#define LABEL_ATTRIBUTE 0x07  /* grey */
#define KERNEL_ATTRIBUTE 0x0e /* yellow */
#define USER_ATTRIBUTE 0x0b   /* cyan */

/* Where ring 3 sees things; the code of row n lies n pages above USER_BASE. */
#define SCREEN_VA (USER_BASE + 0x100000)
#define CLOCK_VA (USER_BASE + 0x101000)

/* What a user thread is told, at demo_user_row of its page; demo_user.asm. */
struct user_row {
    uintptr_t cell_va;  /* the first cell, in the page at SCREEN_VA */
    uintptr_t ring_va;  /* where the ring goes */
    uintptr_t clock_va; /* a word: ticks since the timer was started */
    uint32_t cells;
    uint32_t pace;
    uint32_t cell; /* what a cell holds: 'U' and its attribute */
};

/* demo_user.asm: code that runs at any address, with a struct user_row in it. */
extern const char demo_user[], demo_user_row[], demo_user_end[];

static volatile uint32_t *clock;
static unsigned cells, pace;

static unsigned ring_column(void)
{
    return FIRST_CELL + cells + sizeof(" ring ") - 1;
}

static void show_time(uint64_t ticks)
{
    if (clock) {
        *clock = (uint32_t)ticks;
    }
}

TICK_HOOK(800, show_time);

/* A kernel thread; argument: its row of the screen. */
static void demo_kernel_row(void *argument)
{
    const unsigned row = (unsigned)(uintptr_t)argument;

    for (unsigned i = 0; i < cells; i++) {
        const uint32_t start = *clock;

        while (*clock - start < pace) {
        }
        vga_put(row, FIRST_CELL + i, 'K', KERNEL_ATTRIBUTE);
    }
    vga_put(row, ring_column(), (char)('0' + SEL_RPL(read_cs())), KERNEL_ATTRIBUTE);
}

static void put_text(unsigned row, unsigned column, const char *text)
{
    for (; *text; text++) {
        vga_put(row, column++, *text, LABEL_ATTRIBUTE);
    }
}

static void put_label(unsigned row, const char *kind, unsigned number)
{
    char label[FIRST_CELL];

    ksnprintf(label, sizeof(label), "%s thread %u", kind, number);
    put_text(row, 0, label);
    put_text(row, FIRST_CELL + cells, " ring ");
}

/* A user thread with a page of code of its own. */
static void start_user(unsigned row)
{
    const uintptr_t frame_pa = frame_alloc();
    const uintptr_t code_va = USER_BASE + (row - TOP_ROW) * PAGE_BYTES;
    const struct user_row told = {
        .cell_va = SCREEN_VA + 2 * (VGA_COLUMNS * row + FIRST_CELL),
        .ring_va = SCREEN_VA + 2 * (VGA_COLUMNS * row + ring_column()),
        .clock_va = CLOCK_VA,
        .cells = cells,
        .pace = pace,
        .cell = USER_ATTRIBUTE << 8 | 'U',
    };

    KASSERT(frame_pa);
    memcpy((void *)frame_pa, demo_user, (size_t)(demo_user_end - demo_user));
    memcpy((char *)frame_pa + (demo_user_row - demo_user), &told, sizeof(told));
    KASSERT(user_map(code_va, frame_pa, 0) == E_OK);
    KASSERT(thread_create_user(code_va));
}

static bool row_full(unsigned row)
{
    const volatile uint16_t *screen = (const volatile uint16_t *)VGA_TEXT_PA;

    return (screen[VGA_COLUMNS * row + ring_column()] & 0xff) != ' ';
}

/* So many threads of each kind, in rows from here on; returns when all are full. */
static void fill(unsigned row, unsigned kernel, unsigned user)
{
    const unsigned first = row, end = row + kernel + user;

    for (unsigned i = 0; i < kernel; i++, row++) {
        put_label(row, "kernel", i + 1);
        KASSERT(thread_create_kernel(demo_kernel_row, (void *)(uintptr_t)row));
    }
    for (unsigned i = 0; i < user; i++, row++) {
        put_label(row, "user", i + 1);
        start_user(row);
    }
    for (row = first; row < end; row++) {
        while (!row_full(row)) {
            cpu_idle(); /* the idle thread: runs while no other wants to */
        }
    }
    cpu_cli();
}

static void demo(void)
{
    const uintptr_t clock_pa = frame_alloc();

    cells = (unsigned)cmdline_hex("cells", CELLS);
    pace = (unsigned)cmdline_hex("pace", PACE);
    KASSERT(clock_pa && cells <= CELLS_MOST);
    KASSERT(user_map(SCREEN_VA, VGA_TEXT_PA, USER_MAP_WRITE) == E_OK);
    KASSERT(user_map(CLOCK_VA, clock_pa, 0) == E_OK);
    clock = (volatile uint32_t *)clock_pa;
    kprintf("05-threads: each row is filled by a thread of its own\n");
    kprintf("one kernel thread and one user thread\n");
    fill(TOP_ROW, 1, 1);
    kprintf("two kernel threads and three user threads\n");
    fill(TOP_ROW + 3, 2, 3);
    kprintf("all rows are full\n");
}

SCENARIO("demo", AFTER_ALL_INIT, demo);
