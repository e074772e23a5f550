/* SPDX-License-Identifier: MIT */
/* Channel 0 of the 8254 timer, wired to IRQ 0. Source: Intel 8254 data sheet. */
#include <arch/cpu.h>
#include <drivers.h>

#define PIT_CHANNEL0 0x40
#define PIT_COMMAND 0x43

/* Channel 0, low byte then high byte, mode 2: a pulse every divisor ticks. */
#define COMMAND_RATE 0x34

#define PIT_INPUT_HZ 1193182
#define HZ_LEAST 19 /* below, the divisor needs more than 16 bits */
#define HZ_MOST 10000

_Static_assert(PIT_INPUT_HZ / HZ_LEAST < 0x10000, "16 bits hold the divisor");

int pit_set_hz(unsigned hz)
{
    unsigned divisor;

    if (hz < HZ_LEAST || hz > HZ_MOST) {
        return E_INVAL;
    }
    divisor = (PIT_INPUT_HZ + hz / 2) / hz;
    outb(PIT_COMMAND, COMMAND_RATE);
    outb(PIT_CHANNEL0, (uint8_t)divisor);
    outb(PIT_CHANNEL0, (uint8_t)(divisor >> 8));
    return E_OK;
}
