/* SPDX-License-Identifier: MIT */
/* What C does here; the rest is in tss_load.asm. */
#include <course/01-gdt.h>
#include <course/02-tss.h>

struct tss task_state;

void tss_init(void)
{
    uint64_t words[TSS_DESC_SLOTS];

    task_state = (struct tss){.iomap_base = 0x2000};
    tss_encode((uintptr_t)&task_state, sizeof(task_state) - 1, words);
    __builtin_memcpy(gdt + GDT_INDEX_TSS, words, sizeof(words));
    gdt_reload(GDT_INDEX_TSS + TSS_DESC_SLOTS);
}

void tss_load(uint16_t selector)
{
    __asm__ volatile("ltrw %w0" : : "r"(selector) : "memory");
}
