/* SPDX-License-Identifier: MIT */
/* The one string function that needs the heap, which not every program has. */
#include <stdlib.h>
#include <string.h>

char *strdup(const char *s)
{
    const size_t bytes = strlen(s) + 1;
    char *copy = malloc(bytes);

    return copy ? memcpy(copy, s, bytes) : NULL;
}
