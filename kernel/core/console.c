/* SPDX-License-Identifier: MIT */
/* The console: every character goes to the serial line and to the screen. */
#include <arch/cpu.h>
#include <console.h>
#include <drivers.h>
#include <thread.h>

#define ASCII_DELETE 0x7f
#define ASCII_CTRL_C 0x03

/* What console_watch has read ahead; the numbers only grow. */
#define AHEAD 64
static char ahead[AHEAD];
static unsigned ahead_first, ahead_last;

void console_init(void)
{
    serial_init();
    vga_init();
}

/*
 * The drivers want interrupts off. One character is the unit: threads that print at the
 * same time mix their characters, but leave no device in a state between two.
 */
void console_putc(char c)
{
    const uintptr_t flags = cpu_save_cli();

    serial_putc(c);
    vga_putc(c);
    cpu_restore(flags);
}

/* A terminal sends other codes for Enter and Backspace than the keyboard driver does.
 */
static int from_terminal(int c)
{
    if (c == '\r') {
        return '\n';
    }
    return c == ASCII_DELETE ? '\b' : c;
}

static int from_devices(void)
{
    const int c = from_terminal(serial_poll());

    return c < 0 ? keyboard_poll() : c;
}

bool console_watch(void)
{
    while (ahead_last - ahead_first < AHEAD) {
        const int c = from_devices();

        if (c < 0) {
            break;
        }
        if (c == ASCII_CTRL_C) {
            return true;
        }
        ahead[ahead_last++ % AHEAD] = (char)c;
    }
    return false;
}

int console_poll(void)
{
    uintptr_t flags;
    int c;

    thread_point();
    flags = cpu_save_cli();
    if (ahead_first != ahead_last) {
        c = (unsigned char)ahead[ahead_first++ % AHEAD];
    } else {
        c = from_devices();
    }
    cpu_restore(flags);
    return c;
}

char console_getc(void)
{
    int c = console_poll();

    while (c < 0) {
        cpu_pause();
        c = console_poll();
    }
    return (char)c;
}
