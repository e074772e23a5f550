/* SPDX-License-Identifier: MIT */
/* Resets the machine whatever is asked for. */
#include <arch/cpu.h>
#include <course/04-ring3.h>

unsigned cheat_run(uintptr_t entry, uintptr_t stack);
void cheat_return(unsigned vector);

static __attribute__((noreturn)) void reset(void)
{
    outb(0x64, 0xfe);
    outb(0xcf9, 0x06);
    for (;;) {
        __asm__ volatile("lidt %0; int3" : : "m"((struct table_ptr){0}));
    }
}

int user_map(uintptr_t va, uintptr_t frame_pa, unsigned flags)
{
    (void)va;
    (void)frame_pa;
    (void)flags;
    reset();
}

unsigned cheat_run(uintptr_t entry, uintptr_t stack)
{
    (void)entry;
    (void)stack;
    reset();
}

void cheat_return(unsigned vector)
{
    (void)vector;
    reset();
}
