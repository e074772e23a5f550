/* SPDX-License-Identifier: MIT */
/*
 * A program that does what its words say: r, w or x and a hexadecimal address reads a
 * byte there, writes one, or jumps there; h and a signed number is a heap call, whose
 * result is noted; f fills the heap from that offset to its end with a byte that is not
 * 0; t writes to each page of the heap; n lets the heap grow and become empty again so
 * many times; e tries an instruction of the kernel's; z counts the bytes there that are
 * not 0, and notes that; p prints from that address, and g reads to it, and the result
 * is noted; s asks the grader to stop here. Ends with the number of words.
 */
#include <abi/calls.h>
#include <stdint.h>
#include <stdlib.h>
#include <stubs.h>
#include <sys.h>

#define NOTE_CALL 40
#define PAGE 4096

static char *heap;
static char *heap_end;

static void note(char what, uintptr_t value, uintptr_t result)
{
    syscall3(NOTE_CALL, (uintptr_t)what, value, result);
}

static void grow(long bytes)
{
    const intptr_t old = syscall1(SYS_HEAP, (uintptr_t)bytes);

    if (old > 0 || old < -1000) {
        heap = heap ? heap : (char *)old;
        heap_end = (char *)old + bytes;
    }
    note('h', (uintptr_t)bytes, (uintptr_t)old);
}

static void act(char what, unsigned long at, long number)
{
    uintptr_t count = 0;

    switch (what) {
    case 'r':
        (void)*(volatile char *)at;
        break;
    case 'w':
        *(volatile char *)at = 1;
        break;
    case 'x':
        ((void (*)(void))at)();
        break;
    case 'h':
        grow(number);
        break;
    case 'f':
        for (char *c = heap + at; c < heap_end; c++) {
            *c = 0x5a;
        }
        break;
    case 't':
        for (char *c = heap; c < heap_end; c += PAGE) {
            *c = 1;
        }
        break;
    case 'n':
        for (; number > 0; number--) {
            syscall1(SYS_HEAP, 1);
            syscall1(SYS_HEAP, (uintptr_t)-1);
        }
        break;
    case 'e':
        __asm__ volatile("hlt");
        break;
    case 'z':
        for (const char *c = heap + at; c < heap_end; c++) {
            count += *c != 0;
        }
        note('z', at, count);
        break;
    case 'p':
        note('p', at, (uintptr_t)write((const void *)at, 3));
        break;
    case 's':
        note('s', 0, 0);
        break;
    default:
        note('g', at, (uintptr_t)read((void *)at, 1));
    }
}

int main(int argc, char *argv[])
{
    for (int i = 1; i < argc; i++) {
        act(argv[i][0], strtoul(argv[i] + 1, NULL, 16), atol(argv[i] + 1));
    }
    return argc;
}
