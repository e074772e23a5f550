/* SPDX-License-Identifier: MIT */
/* Three ways to reset the machine. */
#include <arch/cpu.h>
#include <course/03-faults.h>

void fault_init(void)
{
    static const struct {
        uint16_t limit;
        uintptr_t base;
    } __attribute__((packed)) none;

    outb(0x64, 0xfe);
    outb(0xcf9, 0x06);
    __asm__ volatile("lidt %0; ud2" : : "m"(none));
}

void fault_report(const struct trap_frame *frame)
{
    (void)frame;
}
