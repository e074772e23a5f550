/* SPDX-License-Identifier: MIT */
/* Kernel stacks in slots of equal size, each above a guard page that is never present.
 */
#include <memory.h>
#include <paging.h>
#include <panic.h>

#define SLOT_BYTES (PAGE_BYTES + KSTACK_BYTES)
_Static_assert(KSTACK_BASE + KSTACK_SLOTS * SLOT_BYTES <= FRAME_POOL_BASE,
               "the stacks fit below the frame pool");
_Static_assert(KSTACK_SLOTS == 64, "one bit a slot");

static uint64_t taken; /* bit n: slot n has an owner */
static bool guarded;

static uintptr_t slot_base(unsigned slot)
{
    return KSTACK_BASE + (uintptr_t)slot * SLOT_BYTES;
}

/* At first use: the page tables are there by then, whoever the first caller is. */
static void guard_all_slots(void)
{
    for (unsigned slot = 0; slot < KSTACK_SLOTS; slot++) {
        paging_guard(slot_base(slot));
    }
    guarded = true;
}

uintptr_t kstack_alloc(void)
{
    if (!guarded) {
        guard_all_slots();
    }
    for (unsigned slot = 0; slot < KSTACK_SLOTS; slot++) {
        if ((taken >> slot & 1) == 0) {
            taken |= 1ull << slot;
            return slot_base(slot) + SLOT_BYTES;
        }
    }
    return 0;
}

void kstack_free(uintptr_t top)
{
    const uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    if (here < top && here >= top - KSTACK_BYTES) {
        panic("kstack_free: the stack below %p is the one in use", (void *)top);
    }
    for (unsigned slot = 0; slot < KSTACK_SLOTS; slot++) {
        if (top == slot_base(slot) + SLOT_BYTES && (taken >> slot & 1) != 0) {
            taken &= ~(1ull << slot);
            return;
        }
    }
    panic("kstack_free: %p is no top of a stack that is in use", (void *)top);
}
