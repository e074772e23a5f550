/* SPDX-License-Identifier: MIT */
/* Formatted output, gathered in a buffer so that a line is one system call. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys.h>

#define DIGITS 24 /* of a 64-bit number in any base, with its sign */

struct output {
    char buffer[128];
    size_t used;
    int total;
};

struct conversion {
    bool left;
    bool zero;
    size_t width;
    size_t precision; /* SIZE_MAX: none was given */
};

static void flush(struct output *out)
{
    write(out->buffer, out->used);
    out->used = 0;
}

static void put(struct output *out, char c)
{
    if (out->used == sizeof(out->buffer)) {
        flush(out);
    }
    out->buffer[out->used++] = c;
    out->total++;
}

static void fill(struct output *out, char c, size_t length, size_t width)
{
    for (; length < width; length++) {
        put(out, c);
    }
}

static void put_text(struct output *out, const struct conversion *how, const char *text,
                     size_t length)
{
    if (!how->left) {
        fill(out, ' ', length, how->width);
    }
    for (size_t i = 0; i < length; i++) {
        put(out, text[i]);
    }
    if (how->left) {
        fill(out, ' ', length, how->width);
    }
}

static void put_number(struct output *out, const struct conversion *how,
                       unsigned long value, unsigned base, const char *prefix)
{
    struct conversion rest = *how;
    char text[DIGITS];
    size_t at = sizeof(text);

    do {
        text[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    if (how->zero && !how->left) {
        for (; *prefix != '\0'; prefix++, rest.width -= rest.width > 0) {
            put(out, *prefix);
        }
        fill(out, '0', sizeof(text) - at, rest.width);
        rest.width = 0;
    }
    for (size_t i = strlen(prefix); i > 0; i--) {
        text[--at] = prefix[i - 1];
    }
    put_text(out, &rest, text + at, sizeof(text) - at);
}

/* Read flags, width, precision and sizes; true if the argument is a long. */
static const char *read_conversion(const char *format, struct conversion *how,
                                   bool *is_long)
{
    *how = (struct conversion){.precision = SIZE_MAX};
    for (;; format++) {
        if (*format == '-') {
            how->left = true;
        } else if (*format == '0') {
            how->zero = true;
        } else {
            break;
        }
    }
    for (; *format >= '0' && *format <= '9'; format++) {
        how->width = how->width * 10 + (size_t)(*format - '0');
    }
    if (*format == '.') {
        how->precision = 0;
        for (format++; *format >= '0' && *format <= '9'; format++) {
            how->precision = how->precision * 10 + (size_t)(*format - '0');
        }
    }
    for (*is_long = false; *format == 'l' || *format == 'z'; format++) {
        *is_long = true;
    }
    return format;
}

static size_t length_of(const char *text, size_t most)
{
    size_t length = 0;

    while (length < most && text[length] != '\0') {
        length++;
    }
    return length;
}

int vprintf(const char *format, va_list args)
{
    struct output out = {.used = 0};

    for (; *format != '\0'; format++) {
        struct conversion how;
        bool is_long;

        if (*format != '%') {
            put(&out, *format);
            continue;
        }
        format = read_conversion(format + 1, &how, &is_long);
        switch (*format) {
        case 'd':
        case 'i': {
            const long value = is_long ? va_arg(args, long) : va_arg(args, int);
            const unsigned long size = (unsigned long)value;

            put_number(&out, &how, value < 0 ? 0 - size : size, 10,
                       value < 0 ? "-" : "");
            break;
        }
        case 'u':
        case 'x':
            put_number(&out, &how,
                       is_long ? va_arg(args, unsigned long) : va_arg(args, unsigned),
                       *format == 'x' ? 16 : 10, "");
            break;
        case 'p':
            put_number(&out, &how, (unsigned long)va_arg(args, void *), 16, "0x");
            break;
        case 'c': {
            const char c = (char)va_arg(args, int);

            put_text(&out, &how, &c, 1);
            break;
        }
        case 's': {
            const char *text = va_arg(args, const char *);

            text = text ? text : "(null)";
            put_text(&out, &how, text, length_of(text, how.precision));
            break;
        }
        case '\0':
            format--; /* a lone % at the end: the loop must see the NUL */
            break;
        default:
            put(&out, *format);
        }
    }
    flush(&out);
    return out.total;
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
