/* SPDX-License-Identifier: MIT */
/* The kernel command line: words of the form key=value. */
#include "cmdline.h"

#include <multiboot.h>
#include <panic.h>
#include <string.h>

#define CMDLINE_BYTES 1024

static char cmdline[CMDLINE_BYTES];

const char *word_start(const char *text)
{
    while (*text == ' ') {
        text++;
    }
    return text;
}

const char *word_end(const char *text)
{
    while (*text != '\0' && *text != ' ') {
        text++;
    }
    return text;
}

void words_copy(char *to, size_t size, const char *from, const char *end,
                const char *what)
{
    size_t length = 0;

    for (; from < end; from++) {
        bool blank = *from == ' ';

        if (*from == '"' || (blank && (length == 0 || to[length - 1] == ' '))) {
            continue;
        }
        if (length + 1 >= size) {
            panic("%s is longer than %zu characters", what, size - 1);
        }
        to[length++] = *from;
    }
    if (length > 0 && to[length - 1] == ' ') {
        length--;
    }
    to[length] = '\0';
}

/* A file name and no key=value whose value has a slash. */
static bool is_path(const char *word, const char *end)
{
    for (; word < end && *word != '='; word++) {
        if (*word == '/') {
            return true;
        }
    }
    return false;
}

void cmdline_set(const char *text)
{
    const char *first = word_start(text);
    const char *end = word_end(first);

    /* QEMU's -kernel puts the file name first, GRUB does not. */
    if (is_path(first, end)) {
        first = end;
    }
    words_copy(cmdline, sizeof(cmdline), first, first + strlen(first),
               "the kernel command line");
}

/* The value of key, which ends at the next blank or NUL; NULL if there is no such word.
 */
static const char *value_of(const char *key)
{
    size_t length = strlen(key);
    const char *word = word_start(cmdline);

    while (*word != '\0') {
        if (strncmp(word, key, length) == 0 && word[length] == '=') {
            return word + length + 1;
        }
        word = word_start(word_end(word));
    }
    return NULL;
}

int cmdline_text(const char *key, char *value, size_t size)
{
    const char *found = value_of(key);
    size_t length;

    if (found == NULL) {
        return E_NOENT;
    }
    length = (size_t)(word_end(found) - found);
    if (size > 0) {
        size_t copied = length < size ? length : size - 1;

        memcpy(value, found, copied);
        value[copied] = '\0';
    }
    return (int)length;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

uint64_t cmdline_hex(const char *key, uint64_t fallback)
{
    const char *text = value_of(key);
    const char *end;
    uint64_t value = 0;

    if (text == NULL) {
        return fallback;
    }
    end = word_end(text);
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text += 2;
    }
    if (text == end) {
        return fallback;
    }
    for (; text < end; text++) {
        int digit = hex_digit(*text);

        if (digit < 0 || value >> 60 != 0) {
            return fallback;
        }
        value = value << 4 | (unsigned)digit;
    }
    return value;
}
