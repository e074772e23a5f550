/* SPDX-License-Identifier: MIT */
/* Formatted output to the console, and lines from it. */
#ifndef STDIO_H
#define STDIO_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define EOF (-1)

/*
 * Conversions: %d %i %u %x %X %o %c %s %p %%, with the flags - 0 + blank #, width and
 * precision, each also as *, and the sizes hh h l ll z j t; no %n, and no floating
 * point. Return the number of characters. Up to 128 characters are one system call.
 */
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int vprintf(const char *format, va_list args);

/*
 * The same into a buffer: at most size - 1 characters and a NUL, nothing if size is 0.
 * Return how many characters it would be in a buffer that is large enough.
 */
int snprintf(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int vsnprintf(char *buffer, size_t size, const char *format, va_list args);

/* A text and an end of line; a character. Return what is not negative. */
int puts(const char *text);
int putchar(int c);

/*
 * Read a line of at most size - 1 characters into line, show it while it is typed, and
 * let it be edited (edit.h). The end of line is not stored; the text ends with NUL.
 * Returns its length. size is at least 1. Ctrl-D gives an empty line.
 */
size_t read_line(char *line, size_t size);

/* The next character of the lines typed, '\n' after each; EOF at Ctrl-D. */
int getchar(void);

/*
 * The rest of the line with its '\n', whatever its length, in a block of malloc: *line
 * is one of *size bytes, or NULL, and is made larger if need be. Returns the length;
 * -1 at Ctrl-D, or with errno set if memory is short.
 */
intptr_t getline(char **line, size_t *size);

#endif
