/* SPDX-License-Identifier: MIT */
/* The names of the image's functions, and the chain of callers. */
#include <arch/cpu.h>
#include <backtrace.h>
#include <console.h>
#include <memmap.h>
#include <paging.h>

/* Made by the link; without it, as in a first pass, the table is empty. */
struct ksym {
    uintptr_t address;
    uintptr_t name; /* offset in ksyms_names */
};

extern const struct ksym ksyms[] WEAK;
extern const uintptr_t ksyms_count WEAK; /* entries, ascending by address */
extern const char ksyms_names[] WEAK;

extern char image_text_start[], image_text_end[];

#define BACKTRACE_DEPTH 16

const char *symbol_lookup(uintptr_t address, uintptr_t *offset)
{
    const struct ksym *found = NULL;

    if (!&ksyms_count || address < (uintptr_t)image_text_start ||
        address >= (uintptr_t)image_text_end) {
        return NULL;
    }
    for (uintptr_t i = 0; i < ksyms_count && ksyms[i].address <= address; i++) {
        found = &ksyms[i];
    }
    if (!found) {
        return NULL;
    }
    *offset = address - found->address;
    return ksyms_names + found->name;
}

static void print_line(uintptr_t ip)
{
    uintptr_t offset;
    const char *name = symbol_lookup(ip, &offset);

    if (name) {
        kprintf("  at 0x%08lx %s+0x%lx\n", (unsigned long)ip, name,
                (unsigned long)offset);
    } else {
        kprintf("  at 0x%08lx\n", (unsigned long)ip);
    }
}

/* Whether a word of the kernel's lies at va: what goes wrong may leave any number. */
static bool readable(uintptr_t va)
{
    if (va < KERNEL_BASE || va >= IDENTITY_END || va % sizeof(uintptr_t) != 0) {
        return false;
    }
    for (unsigned level = PAGING_LEVELS; level > 0 && read_cr3() != 0; level--) {
        const pte_t entry = *pte_slot(va, level);

        if (!(entry & PTE_PRESENT)) {
            return false;
        }
        if (level > 1 && (entry & PTE_LARGE)) {
            break;
        }
    }
    return true;
}

/* The call behind a jump into nowhere: its return address still tops the stack. */
static void print_caller(uintptr_t sp)
{
    const uintptr_t back = readable(sp) ? *(const uintptr_t *)sp : 0;
    uintptr_t offset;

    if (symbol_lookup(back, &offset) && offset != 0) {
        print_line(back - 1);
    }
}

void backtrace_print(uintptr_t ip, uintptr_t sp, uintptr_t frame_pointer)
{
    print_line(ip);
    if (ip == 0) {
        print_caller(sp);
    }
    for (unsigned depth = 0; depth < BACKTRACE_DEPTH && readable(frame_pointer) &&
                             readable(frame_pointer + sizeof(uintptr_t));
         depth++) {
        const uintptr_t *frame = (const uintptr_t *)frame_pointer;

        if (frame[1] == 0) {
            return;
        }
        print_line(frame[1] - 1); /* in the call: behind it may be another function */
        if (frame[0] <= frame_pointer) {
            return; /* stacks grow downwards: callers lie higher */
        }
        frame_pointer = frame[0];
    }
}
