/* SPDX-License-Identifier: MIT */
/* The table of system calls, and the question what ring 3 may access. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/trap.h>
#include <fault.h>
#include <init.h>
#include <paging.h>
#include <panic.h>
#include <string.h>
#include <syscall.h>
#include <thread.h>

extern const struct syscall_entry table_syscall_start[], table_syscall_end[];

/*
 * The table stands between two margins, so that a dispatcher that looks a little beyond
 * its ends calls something that says so.
 */
#define MARGIN 64
static syscall_fn *slots[MARGIN + SYSCALL_SLOTS + MARGIN];
static uintptr_t count;

static intptr_t no_such_call(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    (void)arguments;
    return E_NOSYS;
}

static intptr_t beyond_the_table(const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    (void)arguments;
    panic("a system call was taken from beyond the %u entries of syscall_table",
          (unsigned)count);
}

static void syscall_table_init(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(slots); i++) {
        slots[i] = beyond_the_table;
    }
    for (const struct syscall_entry *e = table_syscall_start; e < table_syscall_end;
         e++) {
        KASSERT(e->number < SYSCALL_SLOTS);
        KASSERT(slots[MARGIN + e->number] == beyond_the_table);
        slots[MARGIN + e->number] = e->fn;
        if (count <= e->number) {
            count = e->number + 1;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        if (slots[MARGIN + i] == beyond_the_table) {
            slots[MARGIN + i] = no_such_call;
        }
    }
}

INIT(050, syscall_table_init);

syscall_fn *const *syscall_table(void)
{
    thread_point();
    return slots + MARGIN;
}

uintptr_t syscall_count(void)
{
    return count;
}

static bool accessible(uintptr_t va, bool write)
{
    const pte_t wanted = PTE_PRESENT | PTE_USER | (write ? PTE_WRITE : 0);

    for (unsigned level = PAGING_LEVELS; level > 0; level--) {
        const pte_t *slot = pte_slot(va, level);

        if (!slot || (*slot & wanted) != wanted) {
            return false;
        }
        if (level > 1 && (*slot & PTE_LARGE)) {
            return true;
        }
    }
    return true;
}

bool user_page_query(uintptr_t va, bool write)
{
    struct trap_frame frame;
    uintptr_t flags;
    bool found;

    if (accessible(va, write)) {
        return true;
    }
    memset(&frame, 0, sizeof(frame));
    frame.vector = VEC_PF;
    frame.error = PF_USER | (write ? PF_WRITE : 0);
    frame.cs = SEL_UCODE;
    frame.sp = va;
    flags = cpu_save_cli(); /* as at a fault, and CR2 stays as it is written */
    write_cr2(va);          /* where the hooks look */
    found = fault_repair(&frame) && accessible(va, write);
    cpu_restore(flags);
    return found;
}
