/* SPDX-License-Identifier: MIT */
/*
 * What calls, hand-overs and spawns cost, in ticks of the TSC: with -icount shift=0 one
 * an instruction. Words: none: all of it; "fast" and an address: calls through the page
 * there; "partner": yields for ever; "child": ends at once, with the low half of the
 * TSC.
 */
#include <abi/calls.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <stubs.h>
#include <sys.h>

#define NOTE_CALL 40
#define ROUNDS 16
#define TRIES 4 /* in one of them the timer may interrupt */

static uintptr_t fast_page;

static uint32_t now(void)
{
    return (uint32_t)__builtin_ia32_rdtsc();
}

static void nothing(void)
{
    __asm__ volatile("");
}

/* A number that is known: is it the TSC that counts instructions? */
static void thousand(void)
{
    __asm__ volatile(".rept 1000\n\tnop\n\t.endr");
}

static void call_gate(void)
{
    syscall0(SYS_THREAD_ID);
}

/* The kernel changes registers that a function may change anyway. */
static void call_fast(void)
{
    uintptr_t number = SYS_THREAD_ID;

    __asm__ volatile("call *%1" : "+a"(number) : "r"(fast_page) : "cx", "dx", "memory");
}

static void hand_over(void)
{
    syscall0(SYS_YIELD);
}

static uint32_t rounds(void (*round)(void), unsigned count)
{
    void (*volatile const once)(void) = round;
    const uint32_t begin = now();

    for (unsigned i = 0; i < count; i++) {
        once();
    }
    return now() - begin;
}

static uint32_t least(void (*round)(void), unsigned count)
{
    uint32_t ticks = UINT32_MAX;

    for (unsigned i = 0; i < TRIES; i++) {
        const uint32_t taken = rounds(round, count);

        ticks = taken < ticks ? taken : ticks;
    }
    return ticks;
}

static void note(char what, uint32_t count, uint32_t ticks)
{
    syscall3(NOTE_CALL, (uintptr_t)what, count, ticks);
}

static void measure(char what, void (*round)(void))
{
    for (unsigned i = 1; i <= 3; i++) {
        note(what, i * ROUNDS, least(round, i * ROUNDS));
    }
}

static void measure_spawn(void)
{
    uint32_t first = UINT32_MAX, whole = UINT32_MAX;

    for (unsigned i = 0; i < TRIES; i++) {
        const uint32_t begin = now();
        intptr_t status;
        const int pid = spawn("cost", "child");

        if (wait(pid, &status) == pid) {
            const uint32_t end = now() - begin, started = (uint32_t)status - begin;

            whole = end < whole ? end : whole;
            first = started < first ? started : first;
        }
    }
    note('m', 1, first);
    note('e', 1, whole);
}

static void measure_hand_over(void)
{
    const int partner = spawn("cost", "partner");

    yield(); /* it has come to its own loop */
    measure('y', hand_over);
    kill(partner);
    wait(partner, NULL);
}

int main(int argc, char *argv[])
{
    const char *what = argc < 2 ? "" : argv[1];

    if (strcmp(what, "child") == 0) {
        return (int)now();
    }
    if (strcmp(what, "partner") == 0) {
        rounds(hand_over, UINT32_MAX);
    }
    measure('0', nothing);
    measure('k', thousand);
    if (strcmp(what, "fast") == 0) {
        fast_page = strtoul(argv[2], NULL, 16);
        measure('f', call_fast);
        return 0;
    }
    measure('g', call_gate);
    measure_spawn();
    measure_hand_over();
    return 0;
}
