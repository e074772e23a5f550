/* SPDX-License-Identifier: MIT */
/* Stands in for the kernel's arch/cpu.h on the host: ports that the test answers. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <stdint.h>

void outb(uint16_t port, uint8_t value);
uint8_t inb(uint16_t port);

static inline void io_wait(void)
{
}

static inline void cpu_pause(void)
{
}

#endif
