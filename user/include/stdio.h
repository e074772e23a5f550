/* SPDX-License-Identifier: MIT */
/* Formatted output to the console, and lines from it. */
#ifndef STDIO_H
#define STDIO_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Conversions: %d %i %u %x %c %s %p %%, with the flags '-' and '0', a width, a
 * precision for %s, and the sizes l and z. Returns the number of characters.
 */
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int vprintf(const char *format, va_list args);

/*
 * Read a line of at most size - 1 characters into line, show it while it is typed, and
 * let backspace take characters back. The end of line is not stored; the text ends with
 * NUL. Returns its length. size is at least 1.
 */
size_t read_line(char *line, size_t size);

#endif
