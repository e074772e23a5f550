/* SPDX-License-Identifier: MIT */
/* A TSS with an I/O bitmap that says no to every port. */
#include <course/01-gdt.h>
#include <course/02-tss.h>
#include <string.h>

#define PORT_BYTES (65536 / 8)

struct tss_with_bitmap {
    struct tss fixed;
    uint8_t ports[PORT_BYTES];
    uint8_t last; /* the CPU reads two bytes, so one follows the last port's */
} __attribute__((packed));

static struct tss_with_bitmap task;

void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[TSS_DESC_SLOTS])
{
    const uint64_t where = base;
    const uint64_t size = limit;
    uint64_t low = 0;

    low |= (size & 0xffff) << 0;
    low |= (where & 0xffffff) << 16;
    low |= (uint64_t)DESC_TSS << 40;
    low |= (uint64_t)1 << 47;
    low |= (size >> 16 & 0xf) << 48;
    low |= (where >> 24 & 0xff) << 56;
    slot[0] = low;
    slot[1] = where >> 32;
}

void tss_init(void)
{
    uint64_t slot[TSS_DESC_SLOTS];
    unsigned n = TSS_DESC_SLOTS;

    memset(&task, 0, sizeof(task));
    memset(task.ports, 0xff, sizeof(task.ports) + sizeof(task.last));
    task.fixed.iomap_base = offsetof(struct tss_with_bitmap, ports);
    tss_encode((uintptr_t)&task, sizeof(task) - 1, slot);
    while (n-- > 0) {
        gdt_set(GDT_INDEX_TSS + n, slot[n]);
    }
    gdt_reload(GDT_SLOTS);
}

void tss_set_kernel_stack(uintptr_t top)
{
    task.fixed.rsp0 = top;
}
