/* SPDX-License-Identifier: MIT */
/* Memory and string functions, as the C standard and POSIX describe them. */
#ifndef STRING_H
#define STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
void *memchr(const void *s, int value, size_t bytes);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t most);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t most);

char *strcpy(char *restrict to, const char *restrict from);
char *strncpy(char *restrict to, const char *restrict from, size_t bytes);
char *strcat(char *restrict to, const char *restrict from);
char *strncat(char *restrict to, const char *restrict from, size_t most);

/*
 * As much of from as there is room for in size bytes, and a NUL, unless size is 0.
 * Returns the length of from: it was cut off if that is not below size.
 */
size_t strlcpy(char *restrict to, const char *restrict from, size_t size);

char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *what);
size_t strspn(const char *s, const char *accept);
size_t strcspn(const char *s, const char *reject);
char *strpbrk(const char *s, const char *accept);
char *strtok(char *restrict s, const char *restrict delimiters);
char *strtok_r(char *restrict s, const char *restrict delimiters, char **restrict rest);

/* A copy in a block of malloc, which the caller frees; NULL if memory is short. */
char *strdup(const char *s);

/* What an error of the kernel or of errno means. */
const char *strerror(int error);

#endif
