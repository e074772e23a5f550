/* SPDX-License-Identifier: MIT */
/* A driver each for the serial line and the screen. */
#include <course/00-boot.h>
#include <types.h>

#define COM1 0x3f8
#define LINE_STATUS (COM1 + 5)
#define CAN_SEND 0x20

static volatile uint16_t *cell = (volatile uint16_t *)0xb8000 + 80 * 12;

static void put(char c)
{
    uint8_t status;

    do {
        __asm__ volatile("inb %w1, %0" : "=a"(status) : "Nd"(LINE_STATUS));
    } while (!(status & CAN_SEND));
    __asm__ volatile("outb %0, %w1" : : "a"(c), "Nd"(COM1));
    if (c >= ' ') {
        *cell++ = 0x1f00 | (uint8_t)c;
    }
}

void boot_greet(const char *nonce)
{
    for (const char *c = "Hello, ringlab! nonce="; *c; c++) {
        put(*c);
    }
    while (*nonce) {
        put(*nonce++);
    }
    put('\r');
    put('\n');
}
