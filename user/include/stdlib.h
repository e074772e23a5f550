/* SPDX-License-Identifier: MIT */
/* Numbers, sorting, chance, memory, and the end of the program. */
#ifndef STDLIB_H
#define STDLIB_H

#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1

/*
 * The number that text begins with, after white space and a sign. base: 2 to 36, or 0
 * for C's own prefixes; *end, unless NULL, is what follows, or text if there is no
 * number. Beyond the type's range: its end that is nearer, and errno is E_INVAL.
 */
long strtol(const char *restrict text, char **restrict end, int base);
unsigned long strtoul(const char *restrict text, char **restrict end, int base);
int atoi(const char *text);
long atol(const char *text);

int abs(int value);
long labs(long value);

/*
 * Sort count elements of size bytes; equal ones may change places. Find one that equals
 * key among sorted ones, or NULL. compare gives the sign of a - b.
 */
void qsort(void *base, size_t count, size_t size,
           int (*compare)(const void *a, const void *b));
void *bsearch(const void *key, const void *base, size_t count, size_t size,
              int (*compare)(const void *key, const void *element));

/* Numbers from 0 to RAND_MAX, the same ones after the same seed; 1 at first. */
#define RAND_MAX 0x7fffffff
int rand(void);
void srand(unsigned seed);

/*
 * Memory, aligned to 16, from stage 10 on; before, there is none. If it is short: NULL,
 * and errno is E_NOMEM. A block of 0 bytes is one that may be freed.
 */
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void *realloc(void *old, size_t bytes);
void free(void *block);

__attribute__((noreturn)) void exit(int status);

/* End at once, by an invalid instruction: whoever waits sees #UD. */
__attribute__((noreturn)) void abort(void);

#endif
