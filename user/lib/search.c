/* SPDX-License-Identifier: MIT */
/* What stands where in a string. */
#include <string.h>

char *strchr(const char *s, int c)
{
    return memchr(s, c, strlen(s) + 1);
}

char *strrchr(const char *s, int c)
{
    for (size_t i = strlen(s) + 1; i > 0; i--) {
        if (s[i - 1] == (char)c) {
            return (char *)&s[i - 1];
        }
    }
    return NULL;
}

char *strstr(const char *s, const char *what)
{
    const size_t length = strlen(what);

    for (;; s++) {
        if (strncmp(s, what, length) == 0) {
            return (char *)s;
        }
        if (*s == '\0') {
            return NULL;
        }
    }
}

size_t strspn(const char *s, const char *accept)
{
    size_t length = 0;

    while (s[length] != '\0' && strchr(accept, s[length])) {
        length++;
    }
    return length;
}

size_t strcspn(const char *s, const char *reject)
{
    size_t length = 0;

    while (!strchr(reject, s[length])) { /* NUL is in every string */
        length++;
    }
    return length;
}

char *strpbrk(const char *s, const char *accept)
{
    s += strcspn(s, accept);
    return *s != '\0' ? (char *)s : NULL;
}

char *strtok_r(char *restrict s, const char *restrict delimiters, char **restrict rest)
{
    s = s ? s : *rest;
    s += strspn(s, delimiters);
    *rest = s + strcspn(s, delimiters);
    if (*s == '\0') {
        return NULL;
    }
    if (**rest != '\0') {
        *(*rest)++ = '\0';
    }
    return s;
}

char *strtok(char *restrict s, const char *restrict delimiters)
{
    static char *rest;

    return strtok_r(s, delimiters, &rest);
}
