/* SPDX-License-Identifier: MIT */
/* Let the grader call these. */
#include <course/02-tss.h>
#include <task.h>

uint64_t scenario_tss_encoded[64][3];
uint32_t scenario_clobbered;

void scenario_done(void);
void scenario_call(void (*fn)(void), uintptr_t arg);
void scenario_far_ring3(uintptr_t entry, uintptr_t stack);
__attribute__((weak)) void scenario_gate(unsigned vector, void (*entry)(void),
                                         unsigned dpl);

void scenario_done(void)
{
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

void scenario_call(void (*fn)(void), uintptr_t arg)
{
    scenario_done();
}

void scenario_gate(unsigned vector, void (*entry)(void), unsigned dpl)
{
    scenario_done();
}

void scenario_far_ring3(uintptr_t entry, uintptr_t stack)
{
    scenario_done();
}

void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[TSS_DESC_SLOTS])
{
    TASK_OPEN("2.1");
}

void tss_init(void)
{
    scenario_done();
}

void tss_set_kernel_stack(uintptr_t top)
{
    scenario_done();
}
