/* SPDX-License-Identifier: MIT */
/* Memory and string functions; the compiler calls the first four on its own, too. */
#include <string.h>

/* Without this gcc may see memcpy in the loop of memcpy, and let it call itself. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

/* A machine word that may stand for memory of any type. */
typedef uintptr_t word __attribute__((may_alias));

static bool word_aligned(const void *p)
{
    return (uintptr_t)p % sizeof(word) == 0;
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    unsigned char *t = to;
    const unsigned char *f = from;

    if (word_aligned(t) && word_aligned(f)) {
        for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
            *(word *)(void *)t = *(const word *)(const void *)f;
            t += sizeof(word);
            f += sizeof(word);
        }
    }
    while (bytes-- > 0) {
        *t++ = *f++;
    }
    return to;
}

/* Upwards if to is the lower one, else downwards: no byte is read after it is written.
 */
void *memmove(void *to, const void *from, size_t bytes)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    bool words = word_aligned(t) && word_aligned(f);

    if ((uintptr_t)t <= (uintptr_t)f) {
        for (; words && bytes >= sizeof(word); bytes -= sizeof(word)) {
            *(word *)(void *)t = *(const word *)(const void *)f;
            t += sizeof(word);
            f += sizeof(word);
        }
        while (bytes-- > 0) {
            *t++ = *f++;
        }
        return to;
    }
    while (bytes > 0 && (!words || bytes % sizeof(word) != 0)) {
        bytes--;
        t[bytes] = f[bytes];
    }
    while (bytes > 0) {
        bytes -= sizeof(word);
        *(word *)(void *)(t + bytes) = *(const word *)(const void *)(f + bytes);
    }
    return to;
}

void *memset(void *to, int value, size_t bytes)
{
    unsigned char *t = to;
    word pattern = (word)-1 / 0xff * (unsigned char)value; /* the byte in each place */

    if (word_aligned(t)) {
        for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
            *(word *)(void *)t = pattern;
            t += sizeof(word);
        }
    }
    while (bytes-- > 0) {
        *t++ = (unsigned char)value;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const unsigned char *x = a;
    const unsigned char *y = b;

    for (size_t i = 0; i < bytes; i++) {
        if (x[i] != y[i]) {
            return x[i] - y[i];
        }
    }
    return 0;
}

size_t strlen(const char *s)
{
    size_t length = 0;

    while (s[length] != '\0') {
        length++;
    }
    return length;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (a[i] != b[i]) {
            return (unsigned char)a[i] - (unsigned char)b[i];
        }
        if (a[i] == '\0') {
            return 0;
        }
    }
    return 0;
}

char *strchr(const char *s, int c)
{
    for (; *s != (char)c; s++) {
        if (*s == '\0') {
            return NULL;
        }
    }
    return (char *)(uintptr_t)s;
}

size_t strlcpy(char *to, const char *from, size_t size)
{
    size_t length = strlen(from);

    if (size > 0) {
        size_t copied = length < size ? length : size - 1;

        memcpy(to, from, copied);
        to[copied] = '\0';
    }
    return length;
}
