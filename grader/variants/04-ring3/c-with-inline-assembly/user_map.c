/* SPDX-License-Identifier: MIT */
/* All of the stage in C; what C cannot say is inline assembly. */
#include <arch/cpu.h>
#include <course/02-tss.h>
#include <course/04-ring3.h>
#include <memory.h>
#include <paging.h>

/* ring3.asm: as setjmp and longjmp. take returns 0, and value when given gave it. */
struct context {
    uintptr_t words[8];
};
uintptr_t context_take(struct context *context) __attribute__((returns_twice));
__attribute__((noreturn)) void context_give(struct context *context, uintptr_t value);

__attribute__((noreturn)) void enter_in_c(uintptr_t entry, uintptr_t stack);
unsigned run_in_c(uintptr_t entry, uintptr_t stack);
void return_in_c(unsigned vector);

static struct context waiting;
static volatile bool is_waiting;

int user_map(uintptr_t va, uintptr_t frame_pa, unsigned flags)
{
    pte_t rights = PTE_PRESENT | PTE_USER | PTE_WRITE;

    if (va % PAGE_BYTES || va < USER_BASE || USER_END <= va) {
        return E_INVAL;
    }
    for (unsigned level = PAGING_LEVELS; level; level--) {
        pte_t *slot = pte_slot(va, level);

        if (level == 1) {
            if (*slot & PTE_PRESENT) {
                return E_INVAL;
            }
            if (!(flags & USER_MAP_WRITE)) {
                rights &= ~(pte_t)PTE_WRITE;
            }
            *slot = frame_pa;
        } else if (!*slot) {
            *slot = frame_alloc();
            if (!*slot) {
                return E_NOMEM;
            }
        }
        *slot |= rights;
    }
    return E_OK;
}

void enter_in_c(uintptr_t entry, uintptr_t stack)
{
    const uintptr_t frame[] = {entry, SEL_UCODE, EFLAGS_FIXED | EFLAGS_IF, stack,
                               SEL_UDATA};

    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs"
                     :
                     : "r"(SEL_UDATA));
#if __SIZEOF_POINTER__ == 8
    __asm__ volatile("mov %0, %%rsp; iretq" : : "r"(frame), "m"(frame));
#else
    __asm__ volatile("mov %0, %%esp; iretl" : : "r"(frame), "m"(frame));
#endif
    __builtin_unreachable();
}

unsigned run_in_c(uintptr_t entry, uintptr_t stack)
{
    const uintptr_t vector = context_take(&waiting);

    if (vector != 0) {
        return (unsigned)vector - 1;
    }
    is_waiting = true;
    tss_set_kernel_stack(((uintptr_t)__builtin_frame_address(0) - 512) & ~15ul);
    enter_in_c(entry, stack);
}

void return_in_c(unsigned vector)
{
    if (is_waiting) {
        is_waiting = false;
        context_give(&waiting, (uintptr_t)vector + 1);
    }
}
