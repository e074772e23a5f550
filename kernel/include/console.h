/* SPDX-License-Identifier: MIT */
/* The console: writes to serial line and VGA screen, reads serial line and keyboard. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdarg.h>
#include <types.h>

/* Set up COM1 and the screen. Context: interrupts off, once, before any output. */
void console_init(void);

/* Write one character to both devices; '\n' starts a new line on both. Any context. */
void console_putc(char c);

/* The next typed character, or -1 if there is none. Any context; polls the devices. */
int console_poll(void);

/*
 * Keep what was typed, up to some characters, for console_poll. True if Ctrl-C was
 * among it, which is not kept. For a tick hook: so somebody notices Ctrl-C although
 * nobody reads. Context: interrupts off.
 */
bool console_watch(void);

/* Wait for the next typed character. */
char console_getc(void);

/*
 * Formatted output to the console. Conversions: %d %i %u %x %X %c %s %p %%, with the
 * flags '-' and '0', a width or '*', a precision for %s, and the sizes hh h l ll z.
 * Returns the number of characters written. Any context.
 */
int kprintf(const char *format, ...) PRINTF_LIKE(1, 2);
int kvprintf(const char *format, va_list args);

/* The same into buffer, cut to size-1 characters and a NUL; returns the full length. */
int ksnprintf(char *buffer, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
int kvsnprintf(char *buffer, size_t size, const char *format, va_list args);

#endif
