/* SPDX-License-Identifier: MIT */
/*
 * Calls functions of the course's C library and of the system's, in one process and on
 * the same memory, as grader/tests/libc.py asks on stdin; answers go to stdout. The
 * course's functions have the prefix ours_ here.
 */
#include <abi/calls.h>
#include <abi/error.h>
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define ARGUMENTS 24
#define MEMORY_BYTES 2048
#define ARENA_BYTES (1 << 18)

/* What an argument is. */
enum kind {
    WORD = 0,    /* itself */
    PLACE = 1,   /* an offset in the memory */
    COMPARE = 2, /* compares as many bytes as the argument before says */
};

struct request {
    char name[16];
    uint8_t ours;
    uint8_t kinds[ARGUMENTS];
    uint8_t unused[3];
    uint32_t input_bytes; /* what is typed, behind what was not read yet */
    uint64_t words[ARGUMENTS];
    char input[MEMORY_BYTES];
    char memory[MEMORY_BYTES];
};

struct answer {
    uint64_t result;
    int32_t in_memory; /* the result is an offset there */
    int32_t error;     /* errno */
    uint32_t output_bytes;
    uint32_t writes;
    char output[4 * MEMORY_BYTES];
    char memory[MEMORY_BYTES];
};

typedef uintptr_t (*function)(uintptr_t first, ...);

/* clang-format off */
#define IN_BOTH(X)                                                                     \
    X(memcpy) X(memmove) X(memset) X(memcmp) X(memchr) X(strlen) X(strnlen) X(strcmp)  \
    X(strncmp) X(strcpy) X(strncpy) X(strcat) X(strncat) X(strchr) X(strrchr)          \
    X(strstr) X(strspn) X(strcspn) X(strpbrk) X(strtok) X(strtok_r) X(isalnum)         \
    X(isalpha) X(isblank) X(iscntrl) X(isdigit) X(isgraph) X(islower) X(isprint)       \
    X(ispunct) X(isspace) X(isupper) X(isxdigit) X(tolower) X(toupper) X(strtol)       \
    X(strtoul) X(atoi) X(atol) X(abs) X(labs) X(qsort) X(bsearch) X(snprintf)
#define OURS_ALONE(X)                                                                  \
    X(strlcpy) X(strdup) X(strerror) X(rand) X(srand) X(malloc) X(calloc) X(realloc)   \
    X(free) X(printf) X(puts) X(putchar) X(read_line) X(edit_line) X(getchar)          \
    X(getline) X(heap_grow)
/* clang-format on */

#define DECLARE(name) uintptr_t ours_##name(uintptr_t first, ...);
#define ROW_OF_BOTH(name) {#name, ours_##name, (function)(void *)(name)},
#define ROW_OF_OURS(name) {#name, ours_##name, NULL},

IN_BOTH(DECLARE)
OURS_ALONE(DECLARE)
extern int ours_errno;

static const struct {
    const char *name;
    function ours;
    function system;
} functions[] = {IN_BOTH(ROW_OF_BOTH) OURS_ALONE(ROW_OF_OURS)};

static char memory[MEMORY_BYTES] __attribute__((aligned(16)));
static char input[MEMORY_BYTES];
static size_t input_bytes, input_used;
static char arena[ARENA_BYTES] __attribute__((aligned(4096)));
static size_t arena_used, arena_limit = ARENA_BYTES;
static size_t width; /* of what compare() compares */
static struct answer answer;

/* The kernel, as far as the library needs one. */
intptr_t kernel_call(uintptr_t number, uintptr_t a, uintptr_t b)
{
    switch (number) {
    case SYS_WRITE:
        if (b > sizeof(answer.output) - answer.output_bytes) {
            return E_INVAL;
        }
        memcpy(answer.output + answer.output_bytes, (const void *)a, b);
        answer.output_bytes += (uint32_t)b;
        answer.writes++;
        return (intptr_t)b;
    case SYS_READ:
        if (b == 0 || input_used == input_bytes) {
            return 0;
        }
        *(char *)a = input[input_used++];
        return 1;
    case SYS_HEAP:
        if (a > arena_limit - arena_used) {
            return E_NOMEM;
        }
        arena_used += a;
        return (intptr_t)(arena + arena_used - a);
    case SYS_EXIT:
        exit((int)a);
    default:
        return E_NOSYS;
    }
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, width);
}

/* The functions of this file itself. */
static uintptr_t own(const char *name, const uintptr_t *words)
{
    if (strcmp(name, "heap_limit") == 0) {
        arena_limit = words[0];
        return (uintptr_t)arena;
    }
    if (strcmp(name, "all_equal") == 0) { /* (address, byte, bytes) */
        for (size_t i = 0; i < words[2]; i++) {
            if (((const unsigned char *)words[0])[i] != words[1]) {
                return 0;
            }
        }
        return 1;
    }
    fprintf(stderr, "no function %s\n", name);
    exit(2);
}

static uintptr_t call(const struct request *request, const uintptr_t *w)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (strcmp(functions[i].name, request->name) == 0) {
            const function f = request->ours ? functions[i].ours : functions[i].system;

            /* More arguments than a function takes do no harm in either ABI. */
            return f(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10],
                     w[11], w[12], w[13], w[14], w[15], w[16], w[17], w[18], w[19],
                     w[20], w[21], w[22], w[23]);
        }
    }
    return own(request->name, w);
}

static uintptr_t word(const struct request *request, int i)
{
    switch (request->kinds[i]) {
    case PLACE:
        return (uintptr_t)(memory + request->words[i]);
    case COMPARE:
        width = (size_t)request->words[i - 1];
        return (uintptr_t)compare;
    default:
        return (uintptr_t)request->words[i];
    }
}

int main(void)
{
    const struct rlimit limit = {60, 60}; /* a loop without an end is a failed test */
    static struct request request;

    setrlimit(RLIMIT_CPU, &limit);
    while (fread(&request, sizeof(request), 1, stdin) == 1) {
        uintptr_t words[ARGUMENTS];
        uintptr_t result;

        answer = (struct answer){.result = 0};
        memcpy(memory, request.memory, sizeof(memory));
        if (request.input_bytes > 0) {
            memcpy(input, request.input, sizeof(input));
            input_bytes = request.input_bytes;
            input_used = 0;
        }
        for (int i = 0; i < ARGUMENTS; i++) {
            words[i] = word(&request, i);
        }
        errno = ours_errno = 0;
        result = call(&request, words);
        answer.error = request.ours ? ours_errno : errno;
        answer.in_memory = result - (uintptr_t)memory <= sizeof(memory);
        answer.result = answer.in_memory ? result - (uintptr_t)memory : result;
        memcpy(answer.memory, memory, sizeof(memory));
        fwrite(&answer, sizeof(answer), 1, stdout);
        fflush(stdout);
    }
    return 0;
}
