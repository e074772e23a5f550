/* SPDX-License-Identifier: MIT */
/* Texts to numbers. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

struct number {
    unsigned long magnitude;
    bool negative;
    bool too_large; /* for unsigned long */
};

/* What c is worth as a digit; something large if it is none. */
static unsigned digit(char c)
{
    if (isdigit(c)) {
        return (unsigned)(c - '0');
    }
    return isalpha(c) ? (unsigned)(tolower(c) - 'a') + 10 : UINT_MAX;
}

/* Is this the prefix 0x, with a digit behind it? */
static bool has_prefix(const char *text)
{
    return text[0] == '0' && tolower(text[1]) == 'x' && isxdigit(text[2]);
}

static struct number parse(const char *text, char **end, int base)
{
    struct number number = {.magnitude = 0};
    const char *next = text;

    if (base < 0 || base == 1 || base > 36) {
        errno = E_INVAL;
        base = 1; /* has no digits but 0, and that is not taken either */
    }
    while (isspace(*next)) {
        next++;
    }
    if (*next == '+' || *next == '-') {
        number.negative = *next++ == '-';
    }
    if ((base == 0 || base == 16) && has_prefix(next)) {
        next += 2;
        base = 16;
    } else if (base == 0) {
        base = *next == '0' ? 8 : 10;
    }
    for (; base > 1 && digit(*next) < (unsigned)base; next++) {
        unsigned long *value = &number.magnitude;

        text = next + 1;
        number.too_large = number.too_large ||
                           __builtin_mul_overflow(*value, (unsigned)base, value) ||
                           __builtin_add_overflow(*value, digit(*next), value);
    }
    if (end) {
        *end = (char *)text;
    }
    return number;
}

unsigned long strtoul(const char *restrict text, char **restrict end, int base)
{
    const struct number number = parse(text, end, base);

    if (number.too_large) {
        errno = E_INVAL;
        return ULONG_MAX;
    }
    return number.negative ? 0 - number.magnitude : number.magnitude;
}

long strtol(const char *restrict text, char **restrict end, int base)
{
    const struct number number = parse(text, end, base);
    const unsigned long most = (unsigned long)LONG_MAX + number.negative;

    if (number.too_large || number.magnitude > most) {
        errno = E_INVAL;
        return number.negative ? LONG_MIN : LONG_MAX;
    }
    return (long)(number.negative ? 0 - number.magnitude : number.magnitude);
}

long atol(const char *text)
{
    return strtol(text, NULL, 10);
}

int atoi(const char *text)
{
    return (int)atol(text);
}

int abs(int value)
{
    return value < 0 ? -value : value;
}

long labs(long value)
{
    return value < 0 ? -value : value;
}
