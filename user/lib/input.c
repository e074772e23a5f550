/* SPDX-License-Identifier: MIT */
/* The console as C's standard input: characters and lines of what was typed. */
#include <edit.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_BYTES 256    /* what can be typed in one line, with its end and a NUL */
#define GETLINE_BYTES 128 /* of the first block */

int getchar(void)
{
    static char line[LINE_BYTES];
    static size_t length, next;

    if (next == length) {
        const intptr_t typed = edit_line(line, sizeof(line) - 1, NULL);

        if (typed < 0) {
            return EOF;
        }
        line[typed] = '\n';
        length = (size_t)typed + 1;
        next = 0;
    }
    return (unsigned char)line[next++];
}

/* Make room for one more character and a NUL; false if memory is short. */
static bool make_room(char **line, size_t *size, size_t length)
{
    const size_t more = *size < GETLINE_BYTES ? GETLINE_BYTES : *size * 2;
    char *larger;

    if (length + 2 <= *size) {
        return true;
    }
    larger = realloc(*line, more);
    if (!larger) {
        return false;
    }
    *line = larger;
    *size = more;
    return true;
}

intptr_t getline(char **line, size_t *size)
{
    size_t length = 0;
    int c;

    if (!*line) {
        *size = 0;
    }
    do {
        c = getchar();
        if (c == EOF || !make_room(line, size, length)) {
            return -1;
        }
        (*line)[length++] = (char)c;
        (*line)[length] = '\0';
    } while (c != '\n');
    return (intptr_t)length;
}
