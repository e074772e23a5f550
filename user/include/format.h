/* SPDX-License-Identifier: MIT */
/* What all functions of the printf family are made of. */
#ifndef FORMAT_H
#define FORMAT_H

#include <stdarg.h>

/*
 * Call put(to, c) for each character of the formatted text (stdio.h); returns how many.
 * The arguments have the types that format names.
 */
int vformat(void (*put)(void *to, char c), void *to, const char *format, va_list args);

#endif
