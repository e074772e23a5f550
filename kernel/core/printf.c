/* SPDX-License-Identifier: MIT */
/* Formatted output: to the console and into a buffer, by one walk over the format. */
#include <console.h>
#include <string.h>

/* Where the characters go. Lives on the caller's stack, so that threads can mix. */
struct sink {
    void (*put)(struct sink *sink, char c);
    char *buffer;  /* of the buffer sink: where to, */
    size_t size;   /* and how many bytes are there, the NUL among them */
    size_t length; /* characters so far, those that found no room included */
};

/* What stands between '%' and the conversion letter. */
struct spec {
    bool left;
    bool zero;
    int width;
    int precision; /* negative: none given */
    int rank;      /* the size of an integer: hh -2, h -1, none 0, l and z 1, ll 2 */
};
_Static_assert(sizeof(size_t) == sizeof(long), "z and l name the same size");

/* A va_list that a called function can take arguments from. */
struct arguments {
    va_list list;
};

#define NUMBER_DIGITS 20 /* 2^64 - 1 in decimal */
#define WIDTH_MAX 100000 /* cuts off a width that is a mistake */

static void put_console(struct sink *sink, char c)
{
    (void)sink;
    console_putc(c);
}

static void put_buffer(struct sink *sink, char c)
{
    if (sink->length + 1 < sink->size) {
        sink->buffer[sink->length] = c;
    }
}

static void emit(struct sink *sink, char c)
{
    sink->put(sink, c);
    sink->length++;
}

static void emit_text(struct sink *sink, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        emit(sink, text[i]);
    }
}

static void emit_fill(struct sink *sink, char c, int count)
{
    for (int i = 0; i < count; i++) {
        emit(sink, c);
    }
}

static void emit_padded(struct sink *sink, const struct spec *spec, const char *text,
                        size_t length)
{
    int fill = spec->width - (int)length;

    emit_fill(sink, ' ', spec->left ? 0 : fill);
    emit_text(sink, text, length);
    emit_fill(sink, ' ', spec->left ? fill : 0);
}

/*
 * Divide *value by ten and return the remainder, 16 bits at a time: a 32-bit CPU has no
 * instruction for a 64-bit quotient, and the kernel no libgcc.
 */
static unsigned divide_by_ten(unsigned long long *value)
{
    unsigned long long quotient = 0;
    uint32_t rest = 0;

    for (int shift = 48; shift >= 0; shift -= 16) {
        uint32_t part = (rest << 16) | (uint32_t)((*value >> shift) & 0xffff);

        quotient = (quotient << 16) | part / 10;
        rest = part % 10;
    }
    *value = quotient;
    return rest;
}

/* Write the digits of value so that they end before end; returns the first of them. */
static char *digits_before(char *end, unsigned long long value, char conversion)
{
    const char *digits = conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    bool decimal = conversion == 'd' || conversion == 'i' || conversion == 'u';

    while (value != 0) {
        if (decimal) {
            *--end = digits[divide_by_ten(&value)];
        } else {
            *--end = digits[value & 15];
            value >>= 4;
        }
    }
    return end;
}

static void emit_number(struct sink *sink, const struct spec *spec,
                        unsigned long long value, char conversion, const char *prefix)
{
    char text[NUMBER_DIGITS];
    char *end = text + sizeof(text);
    char *first = digits_before(end, value, conversion);
    int digits = (int)(end - first);
    int prefix_length = (int)strlen(prefix);
    int least = spec->precision >= 0 ? spec->precision : 1;
    int zeros;
    int fill;

    if (spec->zero && !spec->left && spec->precision < 0) {
        int room = spec->width - prefix_length;

        least = room > least ? room : least;
    }
    zeros = least > digits ? least - digits : 0;
    fill = spec->width - prefix_length - zeros - digits;

    emit_fill(sink, ' ', spec->left ? 0 : fill);
    emit_text(sink, prefix, (size_t)prefix_length);
    emit_fill(sink, '0', zeros);
    emit_text(sink, first, (size_t)digits);
    emit_fill(sink, ' ', spec->left ? fill : 0);
}

static long long take_signed(struct arguments *args, int rank)
{
    switch (rank) {
    case -2:
        return (signed char)va_arg(args->list, int);
    case -1:
        return (short)va_arg(args->list, int);
    case 0:
        return va_arg(args->list, int);
    case 1:
        return va_arg(args->list, long);
    default:
        return va_arg(args->list, long long);
    }
}

static unsigned long long take_unsigned(struct arguments *args, int rank)
{
    switch (rank) {
    case -2:
        return (unsigned char)va_arg(args->list, unsigned);
    case -1:
        return (unsigned short)va_arg(args->list, unsigned);
    case 0:
        return va_arg(args->list, unsigned);
    case 1:
        return va_arg(args->list, unsigned long);
    default:
        return va_arg(args->list, unsigned long long);
    }
}

static void emit_signed(struct sink *sink, const struct spec *spec, char conversion,
                        struct arguments *args)
{
    long long value = take_signed(args, spec->rank);

    if (value < 0) {
        emit_number(sink, spec, 0 - (unsigned long long)value, conversion, "-");
        return;
    }
    emit_number(sink, spec, (unsigned long long)value, conversion, "");
}

static void emit_string(struct sink *sink, const struct spec *spec, const char *text)
{
    size_t length = 0;

    if (text == NULL) {
        text = "(null)";
    }
    /* Not strlen: with a precision the text need not end with NUL. */
    while ((spec->precision < 0 || length < (size_t)spec->precision) &&
           text[length] != '\0') {
        length++;
    }
    emit_padded(sink, spec, text, length);
}

/* Serve one conversion; false if there is no such one. */
static bool convert(struct sink *sink, const struct spec *spec, char conversion,
                    struct arguments *args)
{
    char c;

    switch (conversion) {
    case 'd':
    case 'i':
        emit_signed(sink, spec, conversion, args);
        return true;
    case 'u':
    case 'x':
    case 'X':
        emit_number(sink, spec, take_unsigned(args, spec->rank), conversion, "");
        return true;
    case 'p':
        emit_number(sink, spec, (uintptr_t)va_arg(args->list, void *), 'x', "0x");
        return true;
    case 'c':
        c = (char)va_arg(args->list, int);
        emit_padded(sink, spec, &c, 1);
        return true;
    case 's':
        emit_string(sink, spec, va_arg(args->list, const char *));
        return true;
    case '%':
        emit(sink, '%');
        return true;
    default:
        return false;
    }
}

static int clamp_width(int width)
{
    return width > WIDTH_MAX ? WIDTH_MAX : width;
}

/* Read a number or '*' at *format; *format then stands behind it. */
static int parse_number(const char **format, struct arguments *args)
{
    int number = 0;

    if (**format == '*') {
        (*format)++;
        number = va_arg(args->list, int);
        return clamp_width(number < -WIDTH_MAX ? -WIDTH_MAX : number);
    }
    while (**format >= '0' && **format <= '9') {
        number = clamp_width(number * 10 + (**format - '0'));
        (*format)++;
    }
    return number;
}

/* Read what stands behind '%'; returns where the conversion letter is. */
static const char *parse_spec(const char *format, struct spec *spec,
                              struct arguments *args)
{
    *spec = (struct spec){.precision = -1};
    for (; *format == '-' || *format == '0'; format++) {
        spec->left = spec->left || *format == '-';
        spec->zero = spec->zero || *format == '0';
    }
    spec->width = parse_number(&format, args);
    if (spec->width < 0) {
        spec->left = true;
        spec->width = -spec->width;
    }
    if (*format == '.') {
        format++;
        spec->precision = parse_number(&format, args);
    }
    if (*format == 'z') {
        spec->rank = 1;
        return format + 1;
    }
    for (; *format == 'l' && spec->rank < 2; format++) {
        spec->rank++;
    }
    for (; *format == 'h' && spec->rank <= 0 && spec->rank > -2; format++) {
        spec->rank--;
    }
    return format;
}

static int emit_format(struct sink *sink, const char *format, va_list list)
{
    struct arguments args;

    va_copy(args.list, list);
    while (*format != '\0') {
        const char *start = format;
        struct spec spec;

        if (*format++ != '%') {
            emit(sink, *start);
            continue;
        }
        format = parse_spec(format, &spec, &args);
        if (convert(sink, &spec, *format, &args)) {
            format++;
            continue;
        }
        /* Show an unknown conversion as it stands, so that the mistake is seen. */
        emit_text(sink, start, (size_t)(format - start));
    }
    va_end(args.list);
    return (int)sink->length;
}

int kvprintf(const char *format, va_list args)
{
    struct sink sink = {.put = put_console};

    return emit_format(&sink, format, args);
}

int kprintf(const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = kvprintf(format, args);
    va_end(args);
    return length;
}

int kvsnprintf(char *buffer, size_t size, const char *format, va_list args)
{
    struct sink sink = {.put = put_buffer, .buffer = buffer, .size = size};
    int length = emit_format(&sink, format, args);

    if (size > 0) {
        buffer[sink.length < size ? sink.length : size - 1] = '\0';
    }
    return length;
}

int ksnprintf(char *buffer, size_t size, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = kvsnprintf(buffer, size, format, args);
    va_end(args);
    return length;
}
