/* SPDX-License-Identifier: MIT */
/* The way of a system call through the kernel: gate, dispatcher, pointer check. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/trap.h>
#include <course/06-syscalls.h>
#include <memmap.h>
#include <task.h>

void syscall_init(void)
{
    /* BEGIN SOLUTION 6.1: a gate that ring 3 may use, to syscall_entry */
    idt_set_gate(VEC_SYSCALL, (uintptr_t)syscall_entry, SEL_KCODE,
                 GATE_PRESENT | GATE_DPL(3) | GATE_INTERRUPT, 0);
    /* END SOLUTION 6.1 */
}

intptr_t syscall_dispatch(uintptr_t number,
                          const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    /* BEGIN SOLUTION 6.2: refuse what is no call, serve the rest with interrupts on */
    intptr_t result;

    if (number >= syscall_count()) {
        return E_NOSYS;
    }
    cpu_sti();
    result = syscall_table()[number](arguments);
    cpu_cli();
    return result;
    /* END SOLUTION 6.2 */
}

int user_check(uintptr_t va, size_t bytes, bool write)
{
    /* BEGIN SOLUTION 6.3: the range first, without overflow; then page after page */
    uintptr_t last;

    if (bytes == 0) {
        return E_OK;
    }
    if (va < USER_BASE || va >= USER_END || bytes > USER_END - va) {
        return E_FAULT;
    }
    last = va + bytes - 1;
    for (uintptr_t page = va & ~(uintptr_t)(PAGE_BYTES - 1); page <= last;
         page += PAGE_BYTES) {
        if (!user_page_query(page, write)) {
            return E_FAULT;
        }
    }
    return E_OK;
    /* END SOLUTION 6.3 */
}
