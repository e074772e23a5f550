/* SPDX-License-Identifier: MIT */
/* The 16550 UART at COM1, polled. Source: National Semiconductor PC16550D, section 8.
 */
#include <arch/cpu.h>
#include <drivers.h>

#define COM1 0x3f8

#define UART_DATA (COM1 + 0)
#define UART_DIVISOR_LOW (COM1 + 0) /* these two while LCR_DIVISOR is set */
#define UART_DIVISOR_HIGH (COM1 + 1)
#define UART_INTERRUPTS (COM1 + 1)
#define UART_FIFO (COM1 + 2)
#define UART_LINE_CONTROL (COM1 + 3)
#define UART_MODEM_CONTROL (COM1 + 4)
#define UART_LINE_STATUS (COM1 + 5)
#define UART_SCRATCH (COM1 + 7)

#define LCR_8N1 0x03
#define LCR_DIVISOR 0x80
#define FIFO_ENABLE_AND_CLEAR 0x07
#define MCR_DTR_RTS 0x03
#define LSR_RECEIVED 0x01
#define LSR_CAN_SEND 0x20

#define DIVISOR_115200 1
#define SCRATCH_PATTERN 0x5a

/* A full FIFO drains in 1.4 ms; this many reads take far longer, but not forever. */
#define SEND_POLLS 1000000u

static bool present; /* without a UART every register reads as ones */
static bool stuck; /* the last byte could not be sent: do not wait again for the next */

void serial_init(void)
{
    outb(UART_SCRATCH, SCRATCH_PATTERN);
    present = inb(UART_SCRATCH) == SCRATCH_PATTERN;
    if (!present) {
        return;
    }
    outb(UART_INTERRUPTS, 0);
    outb(UART_LINE_CONTROL, LCR_DIVISOR);
    outb(UART_DIVISOR_LOW, DIVISOR_115200);
    outb(UART_DIVISOR_HIGH, 0);
    outb(UART_LINE_CONTROL, LCR_8N1);
    outb(UART_FIFO, FIFO_ENABLE_AND_CLEAR);
    outb(UART_MODEM_CONTROL, MCR_DTR_RTS);
}

static bool can_send(void)
{
    return (inb(UART_LINE_STATUS) & LSR_CAN_SEND) != 0;
}

static void send(char c)
{
    unsigned polls = stuck ? 1 : SEND_POLLS;

    while (!can_send()) {
        if (--polls == 0) {
            stuck = true;
            return;
        }
        cpu_pause();
    }
    stuck = false;
    outb(UART_DATA, (uint8_t)c);
}

void serial_putc(char c)
{
    if (!present) {
        return;
    }
    if (c == '\n') {
        send('\r');
    }
    send(c);
}

int serial_poll(void)
{
    if (!present || (inb(UART_LINE_STATUS) & LSR_RECEIVED) == 0) {
        return -1;
    }
    return inb(UART_DATA);
}
