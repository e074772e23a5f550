/* SPDX-License-Identifier: MIT */
/* The task state segment: kernel stack and I/O permissions. */
#include <course/01-gdt.h>
#include <course/02-tss.h>
#include <string.h>
#include <task.h>

/* BEGIN SOLUTION 2.2: the TSS itself, which must stay where it is for good */
static struct tss tss;
/* END SOLUTION 2.2 */

void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[TSS_DESC_SLOTS])
{
    /* BEGIN SOLUTION 2.1: a system descriptor, present, DPL 0, limit in bytes */
    slot[0] = gdt_encode(base, limit, DESC_PRESENT | DESC_DPL(0) | DESC_TSS, 0);
    /* END SOLUTION 2.1 */
}

void tss_init(void)
{
    /* BEGIN SOLUTION 2.2: fill the TSS, write its descriptor, enlarge GDTR's limit */
    uint64_t slot[TSS_DESC_SLOTS];

    memset(&tss, 0, sizeof(tss));
    tss.ss0 = SEL_KDATA;
    tss.iomap_base = sizeof(tss); /* behind the limit: no port is open */
    tss_encode((uintptr_t)&tss, sizeof(tss) - 1, slot);
    for (unsigned i = 0; i < TSS_DESC_SLOTS; i++) {
        gdt_set(GDT_INDEX_TSS + i, slot[i]);
    }
    gdt_reload(GDT_INDEX_TSS + TSS_DESC_SLOTS);
    /* END SOLUTION 2.2 */
}

void tss_set_kernel_stack(uintptr_t top)
{
    /* BEGIN SOLUTION 2.4: where the CPU reads the stack pointer of ring 0 */
    tss.esp0 = top;
    /* END SOLUTION 2.4 */
}
