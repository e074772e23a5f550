/* SPDX-License-Identifier: MIT */
/* Reads a format of printf, and gives the characters one by one to whoever asks. */
#include <format.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DIGITS 22 /* of a 64-bit number in base 8, the smallest that there is */

struct output {
    void (*put)(void *to, char c);
    void *to;
    int total;
};

struct conversion {
    bool left;
    bool zero;
    bool plus;
    bool blank;
    bool alternate;
    size_t width;
    size_t precision; /* SIZE_MAX: none was given */
    unsigned bytes;   /* of an integer */
};

static void put(struct output *out, char c)
{
    out->put(out->to, c);
    out->total++;
}

static void put_many(struct output *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        put(out, text[i]);
    }
}

static void fill(struct output *out, char c, size_t count)
{
    for (; count > 0; count--) {
        put(out, c);
    }
}

/* What is missing from length to wanted. */
static size_t missing(size_t length, size_t wanted)
{
    return length < wanted ? wanted - length : 0;
}

static void put_text(struct output *out, const struct conversion *how, const char *text,
                     size_t length)
{
    const size_t blanks = missing(length, how->width);

    fill(out, ' ', how->left ? 0 : blanks);
    put_many(out, text, length);
    fill(out, ' ', how->left ? blanks : 0);
}

/*
 * Divide *value, and return what remains. The CPU's 32 bits at a time: for 64 the
 * compiler would call a function of its own on i386, which is not there.
 */
static unsigned divide(uint64_t *value, unsigned base)
{
    uint64_t quotient = 0;
    uint32_t rest = 0;

    for (int shift = 48; shift >= 0; shift -= 16) {
        rest = rest << 16 | (uint16_t)(*value >> shift);
        quotient = quotient << 16 | rest / base;
        rest %= base;
    }
    *value = quotient;
    return rest;
}

static void put_number(struct output *out, const struct conversion *how, uint64_t value,
                       unsigned base, const char *digits, const char *prefix)
{
    const size_t prefix_length = strlen(prefix);
    char text[DIGITS];
    size_t at = sizeof(text);
    size_t length, zeros, blanks;

    while (value != 0) {
        text[--at] = digits[divide(&value, base)];
    }
    length = sizeof(text) - at;
    if (how->precision != SIZE_MAX) {
        zeros = missing(length, how->precision);
    } else if (how->zero && !how->left) {
        zeros = missing(length + prefix_length, how->width);
        zeros = length + zeros > 0 ? zeros : 1;
    } else {
        zeros = length > 0 ? 0 : 1;
    }
    if (base == 8 && how->alternate && zeros == 0) {
        zeros = 1;
    }
    blanks = missing(prefix_length + zeros + length, how->width);
    fill(out, ' ', how->left ? 0 : blanks);
    put_many(out, prefix, prefix_length);
    fill(out, '0', zeros);
    put_many(out, text + at, length);
    fill(out, ' ', how->left ? blanks : 0);
}

static const char *read_flags(const char *format, struct conversion *how)
{
    for (;; format++) {
        switch (*format) {
        case '-':
            how->left = true;
            break;
        case '0':
            how->zero = true;
            break;
        case '+':
            how->plus = true;
            break;
        case ' ':
            how->blank = true;
            break;
        case '#':
            how->alternate = true;
            break;
        default:
            return format;
        }
    }
}

/* Digits, or an argument for a *. */
static const char *read_count(const char *format, int *count, va_list *args)
{
    if (*format == '*') {
        *count = va_arg(*args, int);
        return format + 1;
    }
    for (*count = 0; *format >= '0' && *format <= '9'; format++) {
        *count = *count * 10 + (*format - '0');
    }
    return format;
}

static const char *read_size(const char *format, unsigned *bytes)
{
    switch (*format) {
    case 'h':
        *bytes = format[1] == 'h' ? sizeof(char) : sizeof(short);
        return format + (format[1] == 'h' ? 2 : 1);
    case 'l':
        *bytes = format[1] == 'l' ? sizeof(long long) : sizeof(long);
        return format + (format[1] == 'l' ? 2 : 1);
    case 'j':
        *bytes = sizeof(intmax_t);
        return format + 1;
    case 'z':
        *bytes = sizeof(size_t);
        return format + 1;
    case 't':
        *bytes = sizeof(ptrdiff_t);
        return format + 1;
    default:
        *bytes = sizeof(int);
        return format;
    }
}

/* All between % and the letter that says what it is; returns where that stands. */
static const char *read_conversion(const char *format, struct conversion *how,
                                   va_list *args)
{
    int count;

    *how = (struct conversion){.precision = SIZE_MAX};
    format = read_count(read_flags(format, how), &count, args);
    how->left = how->left || count < 0;
    how->width = count < 0 ? 0 - (unsigned)count : (unsigned)count;
    if (*format == '.') {
        format = read_count(format + 1, &count, args);
        how->precision = count < 0 ? SIZE_MAX : (size_t)count;
    }
    return read_size(format, &how->bytes);
}

/* An integer argument of how->bytes; what is smaller than int comes as an int. */
static uint64_t next_unsigned(const struct conversion *how, va_list *args)
{
    const unsigned unused = 64 - 8 * how->bytes;

    if (how->bytes == sizeof(uint64_t)) {
        return va_arg(*args, uint64_t);
    }
    return (uint64_t)va_arg(*args, unsigned) << unused >> unused;
}

static void put_signed(struct output *out, const struct conversion *how, va_list *args)
{
    const uint64_t sign = 1ull << (8 * how->bytes - 1);
    const uint64_t value = next_unsigned(how, args);

    if (value & sign) {
        put_number(out, how, sign - (value - sign), 10, "0123456789", "-");
    } else {
        put_number(out, how, value, 10, "0123456789",
                   how->plus ? "+" : (how->blank ? " " : ""));
    }
}

/* One conversion; false if there is none of this letter. */
static bool convert(struct output *out, const struct conversion *how, char letter,
                    va_list *args)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    const char *text;
    uint64_t value;
    char c;

    switch (letter) {
    case 'd':
    case 'i':
        put_signed(out, how, args);
        return true;
    case 'u':
        put_number(out, how, next_unsigned(how, args), 10, lower, "");
        return true;
    case 'o':
        put_number(out, how, next_unsigned(how, args), 8, lower, "");
        return true;
    case 'x':
        value = next_unsigned(how, args);
        put_number(out, how, value, 16, lower, how->alternate && value ? "0x" : "");
        return true;
    case 'X':
        value = next_unsigned(how, args);
        put_number(out, how, value, 16, upper, how->alternate && value ? "0X" : "");
        return true;
    case 'p':
        put_number(out, how, (uintptr_t)va_arg(*args, void *), 16, lower, "0x");
        return true;
    case 'c':
        c = (char)va_arg(*args, int);
        put_text(out, how, &c, 1);
        return true;
    case 's':
        text = va_arg(*args, const char *);
        text = text ? text : "(null)";
        put_text(out, how, text, strnlen(text, how->precision));
        return true;
    case '%':
        put(out, '%');
        return true;
    default:
        return false;
    }
}

int vformat(void (*to_put)(void *to, char c), void *to, const char *format,
            va_list args)
{
    struct output out = {.put = to_put, .to = to};
    va_list
        rest; /* a va_list parameter may be an array, of which & gives no va_list * */

    va_copy(rest, args);
    while (*format != '\0') {
        const char *const start = format++;
        struct conversion how;

        if (*start != '%') {
            put(&out, *start);
            continue;
        }
        format = read_conversion(format, &how, &rest);
        if (*format != '\0' && convert(&out, &how, *format, &rest)) {
            format++;
        } else { /* not a conversion: it is printed as it stands */
            put_many(&out, start, (size_t)(format - start));
        }
    }
    va_end(rest);
    return out.total;
}
