/* SPDX-License-Identifier: MIT */
/* Gate, dispatcher and pointer check. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/trap.h>
#include <course/06-syscalls.h>
#include <memmap.h>

void syscall_init(void)
{
    idt_set_gate(VEC_SYSCALL, (uintptr_t)syscall_entry, SEL_KCODE,
                 GATE_PRESENT | GATE_DPL(3) | GATE_TRAP, 0);
}

intptr_t syscall_dispatch(uintptr_t number,
                          const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    const uintptr_t before = cpu_flags();
    intptr_t result = E_NOSYS;

    if (number < syscall_count()) {
        cpu_sti();
        result = (*syscall_table()[number])(arguments);
        if (!(before & EFLAGS_IF)) {
            cpu_cli();
        }
    }
    return result;
}

/* From the last byte down to the first one, a page at a time. */
int user_check(uintptr_t va, size_t bytes, bool write)
{
    uintptr_t at;

    if (!bytes) {
        return E_OK;
    }
    if (va < USER_BASE || va > USER_END - 1 || bytes - 1 > USER_END - 1 - va) {
        return E_FAULT;
    }
    for (at = va + bytes - 1; at / PAGE_BYTES > va / PAGE_BYTES; at -= PAGE_BYTES) {
        if (!user_page_query(at, write)) {
            return E_FAULT;
        }
    }
    return user_page_query(va, write) ? E_OK : E_FAULT;
}
