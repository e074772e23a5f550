/* SPDX-License-Identifier: MIT */
/* Memory functions. The compiler calls some of them without being asked. */
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    char *t = to;
    const char *f = from;

    while (bytes-- > 0) {
        *t++ = *f++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
    char *t = to;
    const char *f = from;

    if (t <= f) {
        return memcpy(to, from, bytes);
    }
    while (bytes-- > 0) {
        t[bytes] = f[bytes];
    }
    return to;
}

void *memset(void *to, int value, size_t bytes)
{
    char *t = to;

    while (bytes-- > 0) {
        *t++ = (char)value;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const unsigned char *x = a;
    const unsigned char *y = b;

    for (; bytes > 0; bytes--, x++, y++) {
        if (*x != *y) {
            return *x - *y;
        }
    }
    return 0;
}

void *memchr(const void *s, int value, size_t bytes)
{
    const unsigned char *p = s;

    for (; bytes > 0; bytes--, p++) {
        if (*p == (unsigned char)value) {
            return (void *)p;
        }
    }
    return NULL;
}
