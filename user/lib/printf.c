/* SPDX-License-Identifier: MIT */
/* Formatted output: to a buffer, or to the console, where a line is one call. */
#include <format.h>
#include <stdio.h>
#include <sys.h>

struct gathered {
    size_t used;
    char text[128];
};

static void flush(struct gathered *gathered)
{
    if (gathered->used > 0) {
        write(gathered->text, gathered->used);
        gathered->used = 0;
    }
}

static void gather(void *to, char c)
{
    struct gathered *gathered = to;

    if (gathered->used == sizeof(gathered->text)) {
        flush(gathered);
    }
    gathered->text[gathered->used++] = c;
}

int vprintf(const char *format, va_list args)
{
    struct gathered gathered;
    int total;

    gathered.used = 0;
    total = vformat(gather, &gathered, format, args);
    flush(&gathered);
    return total;
}

int printf(const char *format, ...)
{
    va_list args;
    int total;

    va_start(args, format);
    total = vprintf(format, args);
    va_end(args);
    return total;
}

int puts(const char *text)
{
    return printf("%s\n", text);
}

int putchar(int c)
{
    const char byte = (char)c;

    write(&byte, 1);
    return (unsigned char)byte;
}

/* What is free of a buffer: next to end, where the NUL goes at the latest. */
struct room {
    char *next;
    char *end;
};

static void put_if_room(void *to, char c)
{
    struct room *room = to;

    if (room->next < room->end) {
        *room->next++ = c;
    }
}

int vsnprintf(char *buffer, size_t size, const char *format, va_list args)
{
    struct room room = {buffer, size > 0 ? buffer + size - 1 : buffer};
    const int total = vformat(put_if_room, &room, format, args);

    if (size > 0) {
        *room.next = '\0';
    }
    return total;
}

int snprintf(char *buffer, size_t size, const char *format, ...)
{
    va_list args;
    int total;

    va_start(args, format);
    total = vsnprintf(buffer, size, format, args);
    va_end(args);
    return total;
}
