/* SPDX-License-Identifier: MIT */
/* What the host tests of the kernel's generic C share. */
#ifndef HOST_H
#define HOST_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                               \
    do {                                                                               \
        if (!(condition)) {                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
            exit(1);                                                                   \
        }                                                                              \
    } while (0)

/* The statement must panic with a message that contains the words. */
#define CHECK_PANIC(words, statement)                                                  \
    do {                                                                               \
        if (setjmp(*panic_expected()) == 0) {                                          \
            statement;                                                                 \
            fprintf(stderr, "%s:%d: no panic\n", __FILE__, __LINE__);                  \
            exit(1);                                                                   \
        }                                                                              \
        if (strstr(panic_message, (words)) == NULL) {                                  \
            fprintf(stderr, "%s:%d: panic: %s\n", __FILE__, __LINE__, panic_message);  \
            exit(1);                                                                   \
        }                                                                              \
    } while (0)

jmp_buf *panic_expected(void);
extern char panic_message[512];

/* Pseudo-random numbers from the seed on the command line; below: 0 to limit-1. */
uint64_t random64(void);
unsigned below(unsigned limit);

/* What went to the console since the last reset. */
extern char console_text[256];
extern size_t console_length;

/* Memory at the same address as in the kernel; panics of the host end the test. */
void *map_fixed(uintptr_t address, size_t bytes);

void test_printf(void);
void test_string(void);
void test_heap(void);
void test_frames(void);
void test_stacks(void);
void test_cmdline(void);
void test_multiboot(void);
void test_keyboard(void);
void test_serial(void);
void test_vga(void);

#endif
