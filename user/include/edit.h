/* SPDX-License-Identifier: MIT */
/* Lines that are edited while they are typed, and those typed before. */
#ifndef EDIT_H
#define EDIT_H

#include <stddef.h>
#include <stdint.h>

#define HISTORY_LINES 16
#define HISTORY_BYTES 80 /* of a line, with its NUL; a longer one is not kept */

/* All zeroes at first. */
struct history {
    char lines[HISTORY_LINES][HISTORY_BYTES]; /* line n stands at n % HISTORY_LINES */
    unsigned count;                           /* of all lines ever kept */
};

/*
 * Read a line of at most size - 1 characters, show it while it is typed, and let it be
 * edited: backspace, Delete, left, right, Home, End (or Ctrl-A, Ctrl-E), Ctrl-U for all
 * to the left, Ctrl-K for all to the right; up and down go through the history, which
 * keeps the line, unless it is NULL. Returns the length; -1 at Ctrl-D on an empty line.
 */
intptr_t edit_line(char *line, size_t size, struct history *history);

#endif
