/* SPDX-License-Identifier: MIT */
/* Gate, dispatcher and pointer check. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/trap.h>
#include <course/06-syscalls.h>
#include <memmap.h>

#define USER_GATE 0xee /* present, DPL 3, interrupt gate */

void syscall_init(void)
{
    idt_set_gate(VEC_SYSCALL, (uintptr_t)&syscall_entry, SEL_KCODE, USER_GATE, 0);
}

intptr_t syscall_dispatch(uintptr_t number,
                          const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    syscall_fn *const *const table = syscall_table();
    syscall_fn *const *const end = table + syscall_count();
    uintptr_t own[SYSCALL_ARGUMENTS];
    intptr_t result;

    if (number >= (uintptr_t)(end - table)) {
        return E_NOSYS;
    }
    for (unsigned i = 0; i < SYSCALL_ARGUMENTS; i++) {
        own[i] = arguments[i];
    }
    cpu_sti();
    result = table[number](own);
    cpu_cli();
    return result;
}

static bool all_pages(uintptr_t page, uintptr_t last, bool write)
{
    return user_page_query(page * PAGE_BYTES, write) &&
           (page == last || all_pages(page + 1, last, write));
}

int user_check(uintptr_t va, size_t bytes, bool write)
{
    const uintptr_t last = va + bytes - 1;

    if (bytes == 0) {
        return E_OK;
    }
    if (last < va || va < USER_BASE || last >= USER_END) {
        return E_FAULT;
    }
    return all_pages(va / PAGE_BYTES, last / PAGE_BYTES, write) ? E_OK : E_FAULT;
}
