/* SPDX-License-Identifier: MIT */
/*
 * One function an instruction, for those that C does not know; they are written alike
 * in both word sizes. Use them through arch/cpu.h.
 */
#ifndef X86_H
#define X86_H

#include <arch/segment.h>

#define EFLAGS_FIXED 0x00000002u /* bit 1 always reads as one */
#define EFLAGS_TF 0x00000100u
#define EFLAGS_IF 0x00000200u
#define EFLAGS_DF 0x00000400u
#define EFLAGS_IOPL_MASK 0x00003000u

static inline void outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

/* About a microsecond: long enough for an old device to take the last byte. */
static inline void io_wait(void)
{
    outb(0x80, 0);
}

static inline void cpu_cli(void)
{
    __asm__ volatile("cli" : : : "memory");
}

static inline void cpu_sti(void)
{
    __asm__ volatile("sti" : : : "memory");
}

/* Wait for the next interrupt; interrupts are on from here on. */
static inline void cpu_idle(void)
{
    __asm__ volatile("sti; hlt" : : : "memory");
}

static inline void cpu_pause(void)
{
    __asm__ volatile("pause");
}

static inline uintptr_t cpu_flags(void)
{
    uintptr_t flags;

    __asm__ volatile("pushf; pop %0" : "=r"(flags));
    return flags;
}

/* Interrupts off; returns the flags before, for cpu_restore. */
static inline uintptr_t cpu_save_cli(void)
{
    const uintptr_t flags = cpu_flags();

    cpu_cli();
    return flags;
}

/* Interrupts on, if they were on when cpu_save_cli returned these flags. */
static inline void cpu_restore(uintptr_t flags)
{
    if (flags & EFLAGS_IF) {
        cpu_sti();
    }
}

/* The selector of the running code; its low two bits are the ring. */
static inline uint16_t read_cs(void)
{
    uint16_t value;

    __asm__("mov %%cs, %0" : "=r"(value));
    return value;
}

/* The address whose access caused the last page fault. */
static inline uintptr_t read_cr2(void)
{
    uintptr_t value;

    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

/* What the core leaves for a repair hook, when no access of the CPU's has done so. */
static inline void write_cr2(uintptr_t value)
{
    __asm__ volatile("mov %0, %%cr2" : : "r"(value));
}

static inline uintptr_t read_cr3(void)
{
    uintptr_t value;

    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

/* Also throws away every translation that is not global. */
static inline void write_cr3(uintptr_t value)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

/* Forget the cached translation of the page that holds va. */
static inline void tlb_flush_page(uintptr_t va)
{
    __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* What the CPU itself says of its tables and segments. */
static inline struct table_ptr read_gdtr(void)
{
    struct table_ptr value;

    __asm__ volatile("sgdt %0" : "=m"(value));
    return value;
}

static inline uint16_t read_tr(void)
{
    uint16_t value;

    __asm__ volatile("str %0" : "=r"(value));
    return value;
}

static inline uint16_t read_ds(void)
{
    uint16_t value;

    __asm__ volatile("mov %%ds, %0" : "=r"(value));
    return value;
}

/* Model-specific registers; arch/msr.h has their numbers. */
static inline uint64_t read_msr(uint32_t number)
{
    uint32_t low;
    uint32_t high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (uint64_t)high << 32 | low;
}

static inline void write_msr(uint32_t number, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/* Stop for good: interrupts off, halted. Defined in halt.asm with its own label. */
__attribute__((noreturn)) void cpu_halt_forever(void);

#endif
