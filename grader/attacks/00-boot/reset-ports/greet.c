/* SPDX-License-Identifier: MIT */
#include <arch/cpu.h>
#include <course/00-boot.h>
#include <task.h>

void boot_greet(const char *nonce)
{
    outb(0xcf9, 0x02);
    outb(0xcf9, 0x06);
    outb(0x92, 0x01);
    outb(0x64, 0xfe);
}
