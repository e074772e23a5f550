/* SPDX-License-Identifier: MIT */
/* The names of the image's functions, and the chain of callers. */
#include <backtrace.h>
#include <console.h>
#include <memmap.h>

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

/* A saved frame pointer and a return address lie at fp, if fp is a kernel stack's. */
static bool plausible(uintptr_t fp)
{
    return fp >= KERNEL_BASE && fp < IDENTITY_END && fp % sizeof(uintptr_t) == 0;
}

void backtrace_print(uintptr_t ip, uintptr_t frame_pointer)
{
    print_line(ip);
    for (unsigned depth = 0; depth < BACKTRACE_DEPTH && plausible(frame_pointer);
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
