/* SPDX-License-Identifier: MIT */
/* Gate, dispatcher and pointer check; serve gets all registers of ring 3. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/trap.h>
#include <course/06-syscalls.h>
#include <memmap.h>

/* What the entries push, the last first. */
#ifdef __x86_64__
struct registers {
    uintptr_t r11, r10, r9, r8, bp, di, si, dx, cx, bx, ax;
    uintptr_t ip, cs, flags, sp, ss;
};
#define ARGUMENTS_OF(r)                                                                \
    {                                                                                  \
        (r)->di, (r)->si, (r)->dx, (r)->r10, (r)->r8                                   \
    }
#else
struct registers {
    uintptr_t gs, fs, es, ds;
    uintptr_t di, si, bp, pusha_sp, bx, dx, cx, ax;
    uintptr_t ip, cs, flags, sp, ss;
};
#define ARGUMENTS_OF(r)                                                                \
    {                                                                                  \
        (r)->bx, (r)->cx, (r)->dx, (r)->si, (r)->di                                    \
    }
#endif

void serve(struct registers *registers, bool fast);

void serve(struct registers *registers, bool fast)
{
    const uintptr_t arguments[SYSCALL_ARGUMENTS] = ARGUMENTS_OF(registers);

    if (fast && sizeof(uintptr_t) == 4 &&
        user_check(registers->sp, 2 * sizeof(uintptr_t), false) != E_OK) {
        registers->ax = (uintptr_t)E_FAULT;
    } else {
        registers->ax = (uintptr_t)syscall_dispatch(registers->ax, arguments);
    }
}

void syscall_init(void)
{
    const uint8_t attributes = GATE_PRESENT | GATE_DPL(3) | GATE_INTERRUPT;

    idt_set_gate(VEC_SYSCALL, (uintptr_t)syscall_entry, SEL_KCODE, attributes, 0);
}

intptr_t syscall_dispatch(uintptr_t number,
                          const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    if (number < syscall_count()) {
        syscall_fn *function = syscall_table()[number];
        intptr_t result;

        cpu_sti();
        result = function(arguments);
        cpu_cli();
        return result;
    }
    return E_NOSYS;
}

int user_check(uintptr_t va, size_t bytes, bool write)
{
    while (bytes > 0) {
        const size_t rest = PAGE_BYTES - va % PAGE_BYTES;
        const size_t here = bytes < rest ? bytes : rest;

        if (va < USER_BASE || va >= USER_END || !user_page_query(va, write)) {
            return E_FAULT;
        }
        va += here;
        bytes -= here;
    }
    return E_OK;
}
