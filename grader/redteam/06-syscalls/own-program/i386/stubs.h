/* SPDX-License-Identifier: MIT */
/* Stubs that do nothing, and the story of the grader's program told by another main. */
#ifndef STUBS_H
#define STUBS_H

#include <stdint.h>

#define syscall0(n) ((intptr_t)(n))
#define syscall1(n, a) ((intptr_t)((n) + (a)))
#define syscall2(n, a, b) ((intptr_t)((n) + (a) + (b)))
#define syscall3(n, a, b, c) ((intptr_t)((n) + (a) + (b) + (c)))
#define syscall4(n, a, b, c, d) ((intptr_t)((n) + (a) + (b) + (c) + (d)))
#define syscall5(n, a, b, c, d, e) ((intptr_t)((n) + (a) + (b) + (c) + (d) + (e)))

/* The library includes this file behind abi/calls.h, the grader's program does not. */
#ifndef ABI_CALLS_H
static uintptr_t ask(uintptr_t n, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d,
                     uintptr_t e)
{
    uintptr_t result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(n), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                     : "memory");
    return result;
}

static uintptr_t number_of(const char *text)
{
    uintptr_t value = 0;

    for (; *text != '\0'; text++) {
        value = value << 4 | (uintptr_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    }
    return value;
}

int main(int argc, char *argv[])
{
    const uintptr_t note = number_of(argv[2]);
    uintptr_t s = number_of(argv[1]);
    volatile uintptr_t word;
    uintptr_t r = ask(note, 0, 0, 0, 0, 0);
    uintptr_t v[5];

    (void)argc;
    r = ask(note, r, 0, 0, 0, 0);
    r = ask(note, r, s + 1, 0, 0, 0);
    r = ask(note, r, s + 2, s + 3, 0, 0);
    r = ask(note, r, s + 4, s + 5, s + 6, 0);
    r = ask(note, r, s + 7, s + 8, s + 9, s + 10);
    ask(note, r, 0, 0, 0, 0);
    for (int i = 0; i < 5; i++) {
        ask(note, s + 0x1000, 0, 0, 0, 0);
        v[i] = s + 0x2000 + (uintptr_t)i;
    }
    for (int i = 0; i < 4; i++) {
        ask(note, 0, 0, 0, 0, 0);
        ask(note, v[0], 0, 0, 0, 0);
        ask(note, v[1], v[0], 0, 0, 0);
        ask(note, v[2], v[1], v[0], 0, 0);
        ask(note, v[3], v[2], v[1], v[0], 0);
        ask(note, v[4], v[3], v[2], v[1], v[0]);
        for (int n = 0; n < 4; n++) {
            v[n] += v[n + 1];
        }
        v[4]++;
    }
    ask(note, v[0], v[1], v[2], v[3], v[4]);
    word = s + 0x3000;
    ask(note + 2, (uintptr_t)&word, 0, 0, 0, 0);
    word = s + 0x3001;
    ask(note + 2, (uintptr_t)&word, 0, 0, 0, 0);
    ask(note + 1, (uintptr_t)&word, 0, 0, 0, 0);
    ask(note, word, 0, 0, 0, 0);
    word = s + 0x3002;
    ask(note + 2, (uintptr_t)&word, 1, 2, 3, 4);
    ask(note + 1, (uintptr_t)&word, 0, 0, 0, 0);
    ask(note, word, 0, 0, 0, 0);
    for (;;) {
    }
}

#define main the_other
#endif

#endif
