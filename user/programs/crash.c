/* SPDX-License-Identifier: MIT */
/* Does one thing that a program may not do; the CPU ends it, and nothing else. */
#include <stdio.h>
#include <string.h>

/* Volatile, so that the compiler does not know what will happen. */
static volatile int *volatile nowhere = NULL;
static volatile int zero = 0;

static void null(void)
{
    *nowhere = 1;
}

static void write_code(void)
{
    *(volatile char *)write_code = 0;
}

static void kernel(void)
{
    nowhere = (volatile int *)0x100000; /* the first bytes of the kernel's image */
    *nowhere = 1;
}

static void divide(void)
{
    zero = 1000 / zero; /* of 1 the compiler makes no division */
}

static void privileged(void)
{
    __asm__ volatile("cli");
}

static void opcode(void)
{
    __asm__ volatile("ud2");
}

/* What is done behind the inner call keeps it from becoming a loop. */
static int stack_from(int depth)
{
    volatile char room[256];

    room[0] = (char)depth;
    return zero == 0 ? stack_from(depth + 1) + room[0] : 0;
}

static void stack(void)
{
    zero = stack_from(0);
}

static const struct way {
    const char *name;
    const char *what;
    void (*crash)(void);
} ways[] = {
    {"null", "writes through a null pointer (#PF)", null},
    {"write-code", "writes to its own code (#PF)", write_code},
    {"kernel", "writes to the kernel (#PF)", kernel},
    {"divide", "divides by zero (#DE)", divide},
    {"privileged", "turns interrupts off (#GP)", privileged},
    {"opcode", "executes an instruction that there is not (#UD)", opcode},
    {"stack", "calls itself until the stack is full (#PF)", stack},
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

int main(int argc, char *argv[])
{
    for (const struct way *way = ways; argc == 2 && way < ways + WAYS; way++) {
        if (strcmp(argv[1], way->name) == 0) {
            printf("%s: this program %s\n", argv[0], way->what);
            way->crash();
            printf("%s: and nobody minded\n", argv[0]);
            return 2;
        }
    }
    printf("usage: %s HOW, where HOW is one of\n", argv[0]);
    for (const struct way *way = ways; way < ways + WAYS; way++) {
        printf("  %-10s  %s\n", way->name, way->what);
    }
    return 1;
}
