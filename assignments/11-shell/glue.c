/* SPDX-License-Identifier: MIT */
/* Where stage 11 hooks in, and the calls that only ask a driver or an earlier stage. */
#include <abi/calls.h>
#include <arch/cpu.h>
#include <console.h>
#include <course/07-frames.h>
#include <course/11-shell.h>
#include <drivers.h>
#include <multiboot.h>
#include <thread.h>

#define RANGES 256

/* After the space is gone (950). */
static void after_exit(struct thread *thread, intptr_t status)
{
    (void)thread;
    (void)status;
    family_exit();
}

EXIT_HOOK(970, after_exit);
POINT_HOOK(100, kill_point);

/* Notes for whom the caller waits: that is what Ctrl-C ends. */
static intptr_t serve_wait(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    struct process *caller = thread_current()->process;
    intptr_t result;

    caller->waits_for = (int)arguments[0];
    result = sys_wait(arguments);
    caller->waits_for = 0;
    return result;
}

/* Ctrl-C ends whom somebody waits for by its pid, and who does not wait so itself. */
static void watch_console(uint64_t ticks)
{
    (void)ticks;
    if (!console_watch()) {
        return;
    }
    for (struct process *p = process_after(0); p; p = process_after(p->pid)) {
        struct process *child =
            p->thread && p->waits_for > 0 ? process_find(p->waits_for) : NULL;

        if (child && child->thread && child->waits_for <= 0) {
            child->killed = true;
        }
    }
}

TICK_HOOK(150, watch_console);

SYSCALL(SYS_SPAWN, sys_spawn);
SYSCALL(SYS_WAIT, serve_wait);
SYSCALL(SYS_KILL, sys_kill);
SYSCALL(SYS_PROCESSES, sys_processes);

static intptr_t count_free(void)
{
    static struct frame_range ranges[RANGES];
    const uintptr_t flags = cpu_save_cli();
    intptr_t frames = 0;
    size_t count;

    count = frame_ranges(ranges, RANGES);
    for (size_t i = 0; i < count && i < RANGES; i++) {
        frames += (intptr_t)ranges[i].frames;
    }
    cpu_restore(flags);
    return frames;
}

static intptr_t all_frames;

static void count_all(void)
{
    all_frames = count_free();
}

INIT(065, count_all);

static intptr_t sys_frames(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    return arguments[0] == FRAMES_FREE ? count_free() : all_frames;
}

static intptr_t sys_poll(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    const int c = console_poll();

    (void)arguments;
    return c < 0 ? E_AGAIN : c;
}

static intptr_t sys_screen(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    const unsigned row = arguments[0] & 0xffff;
    const unsigned column = (arguments[0] >> 16) & 0xffff;

    if (row >= VGA_ROWS || column >= VGA_COLUMNS) {
        return E_INVAL;
    }
    vga_put(row, column, (char)(arguments[1] & 0xff), (arguments[1] >> 8) & 0xff);
    return E_OK;
}

SYSCALL(SYS_FRAMES, sys_frames);
SYSCALL(SYS_POLL, sys_poll);
SYSCALL(SYS_SCREEN, sys_screen);
