/* SPDX-License-Identifier: MIT */
/*
 * Calls every stub with numbers that the grader knows; the calls' side in the kernel is
 * the grader's own and notes what arrives. Compiled with and without optimisation.
 * argv[1]: the first of the numbers, hexadecimal. argv[2]: the first call's number.
 */
#include <stdint.h>

/* Named before stubs.h can give this name to another function. */
int main(int argc, char *argv[]) __asm__("main");

/*
 * stubs.h is a submission's: neither its options nor its macros are this program's. An
 * attribute or a pragma for options would hide a clobber list that is too short, and so
 * would a macro for a word that is used below.
 */
#pragma GCC poison optimize __optimize__
#include <stubs.h>
#undef __asm__
#undef char
#undef const
#undef int
#undef intptr_t
#undef main
#undef static
#undef uintptr_t
#undef void
#undef volatile
#undef a
#undef argc
#undef argv
#undef b
#undef c
#undef d
#undef e
#undef every_stub
#undef first
#undef for
#undef hexadecimal
#undef i
#undef memory_seen
#undef r
#undef registers_kept
#undef results_unused
#undef return
#undef seed
#undef text
#undef value
#undef word

/*
 * The calls, behind the first one: note; note and store a word; note what it is; note
 * it, and store another one, at the address of the last store.
 */
#define NOTE 0
#define STORE 1
#define LOOK 2
#define AGAIN 3

static uintptr_t first;

static uintptr_t hexadecimal(const char *text)
{
    uintptr_t value = 0;

    for (; *text != '\0'; text++) {
        value = value << 4 | (uintptr_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    }
    return value;
}

/* The compiler cannot know what is in value behind this. */
#define OPAQUE(value) __asm__ volatile("" : "+r"(value))

/* Each stub once; each result is an argument of the next. */
static void every_stub(uintptr_t seed)
{
    uintptr_t r = (uintptr_t)syscall0(first + NOTE);

    r = (uintptr_t)syscall1(first + NOTE, r);
    r = (uintptr_t)syscall2(first + NOTE, r, seed + 1);
    r = (uintptr_t)syscall3(first + NOTE, r, seed + 2, seed + 3);
    r = (uintptr_t)syscall4(first + NOTE, r, seed + 4, seed + 5, seed + 6);
    r = (uintptr_t)syscall5(first + NOTE, r, seed + 7, seed + 8, seed + 9, seed + 10);
    syscall1(first + NOTE, r);
}

/* Nobody wants the results, and the calls are all alike: they are made all the same. */
static void results_unused(uintptr_t seed)
{
    for (int i = 0; i < 3; i++) {
        syscall1(first + NOTE, seed);
    }
    syscall0(first + NOTE);
    syscall0(first + NOTE);
}

/* By this stub the kernel sees what the program stored, and the other way round. */
#define SEEN(value, stub, ...)                                                         \
    word = (value);                                                                    \
    stub(first + LOOK, __VA_ARGS__);                                                   \
    stub(first + STORE, __VA_ARGS__);                                                  \
    syscall1(first + NOTE, word)

static void memory_seen(uintptr_t seed)
{
    uintptr_t word = seed;

    syscall1(first + LOOK, (uintptr_t)&word);
    SEEN(seed + 1, syscall1, (uintptr_t)&word);
    SEEN(seed + 2, syscall2, (uintptr_t)&word, 1);
    SEEN(seed + 3, syscall3, (uintptr_t)&word, 1, 2);
    SEEN(seed + 4, syscall4, (uintptr_t)&word, 1, 2, 3);
    SEEN(seed + 5, syscall5, (uintptr_t)&word, 1, 2, 3, 4);
    word = seed + 6;
    syscall0(first + AGAIN);
    syscall1(first + NOTE, word);
}

/* Values that the compiler likes to keep in registers are still there behind a call. */
static void registers_kept(uintptr_t seed)
{
    uintptr_t a = seed;
    uintptr_t b = seed + 1;
    uintptr_t c = seed + 2;
    uintptr_t d = seed + 3;
    uintptr_t e = seed + 4;

    for (int i = 0; i < 4; i++) {
        OPAQUE(a);
        OPAQUE(b);
        OPAQUE(c);
        OPAQUE(d);
        OPAQUE(e);
        syscall0(first + NOTE);
        syscall1(first + NOTE, a);
        syscall2(first + NOTE, b, a);
        syscall3(first + NOTE, c, b, a);
        syscall4(first + NOTE, d, c, b, a);
        syscall5(first + NOTE, e, d, c, b, a);
        a += b;
        b += c;
        c += d;
        d += e;
        e += 1;
    }
    syscall5(first + NOTE, a, b, c, d, e);
}

int main(int argc, char *argv[])
{
    const uintptr_t seed = argc == 3 ? hexadecimal(argv[1]) : 0;

    first = argc == 3 ? hexadecimal(argv[2]) : 0;
    every_stub(seed);
    results_unused(seed + 0x1000);
    registers_kept(seed + 0x2000);
    memory_seen(seed + 0x3000);
    return 0;
}
