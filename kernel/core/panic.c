/* SPDX-License-Identifier: MIT */
/* Panic, and the halt at a task that is still open. */
#include <backtrace.h>
#include <console.h>
#include <fault.h>
#include <kernel.h>
#include <task.h>

static const char *const names[] = {
    [VEC_DE] = "#DE", [VEC_DB] = "#DB", [VEC_NMI] = "NMI", [VEC_BP] = "#BP",
    [VEC_UD] = "#UD", [VEC_DF] = "#DF", [VEC_TS] = "#TS",  [VEC_NP] = "#NP",
    [VEC_SS] = "#SS", [VEC_GP] = "#GP", [VEC_PF] = "#PF",
};

const char *vector_name(unsigned vector)
{
    if (vector >= ARRAY_SIZE(names) || !names[vector]) {
        return "-";
    }
    return names[vector];
}

void panic(const char *format, ...)
{
    va_list args;

    kprintf("\n[ringlab] panic: ");
    va_start(args, format);
    kvprintf(format, args);
    va_end(args);
    kprintf("\n");
    backtrace_print((uintptr_t)__builtin_return_address(0) - 1, 0,
                    *(const uintptr_t *)__builtin_frame_address(0));
    kprintf("[ringlab] panic end\n");
    panic_halt();
}

void panic_trap(const struct trap_frame *frame, const char *reason)
{
    kprintf("\n[ringlab] panic: %s %u (%s)\n", reason, (unsigned)frame->vector,
            vector_name(frame->vector));
    trap_print(frame);
    kprintf("[ringlab] panic end\n");
    panic_halt();
}

void task_open(const char *id)
{
    kprintf("\n[ringlab] task %s is open\n", id);
    task_open_halt();
}
