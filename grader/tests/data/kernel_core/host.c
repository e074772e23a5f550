/* SPDX-License-Identifier: MIT */
/* Runs one host test by name: "host <test> <seed>". Exit status 0: passed. */
#define _GNU_SOURCE
#include "host.h"

#include <console.h>
#include <panic.h>
#include <sys/mman.h>

static const struct {
    const char *name;
    void (*fn)(void);
} tests[] = {
    {"printf", test_printf},     {"string", test_string},
    {"heap", test_heap},         {"frames", test_frames},
    {"stacks", test_stacks},     {"cmdline", test_cmdline},
    {"keyboard", test_keyboard}, {"multiboot", test_multiboot},
    {"serial", test_serial},     {"vga", test_vga},
};

/* The linker script's, in an image. */
__asm__(".pushsection .data\n"
        ".globl image_text_start, image_end\n"
        "image_text_start: .skip 8192\n"
        "image_end:\n"
        ".popsection");

static uint64_t random_state;
static jmp_buf panic_target;
static bool panic_is_expected;

char panic_message[512];
char console_text[256];
size_t console_length;

uint64_t random64(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u; /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

unsigned below(unsigned limit)
{
    return (unsigned)(random64() % limit);
}

jmp_buf *panic_expected(void)
{
    panic_is_expected = true;
    return &panic_target;
}

void panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(panic_message, sizeof(panic_message), format, args);
    va_end(args);
    if (!panic_is_expected) {
        fprintf(stderr, "panic: %s\n", panic_message);
        exit(1);
    }
    panic_is_expected = false;
    longjmp(panic_target, 1);
}

void console_putc(char c)
{
    CHECK(console_length < sizeof(console_text));
    console_text[console_length++] = c;
}

void *map_fixed(uintptr_t address, size_t bytes)
{
    void *wanted = (void *)address;
    void *got = mmap(wanted, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    CHECK(got == wanted);
    return got;
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    random_state = strtoull(argv[2], NULL, 16);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        if (strcmp(tests[i].name, argv[1]) == 0) {
            tests[i].fn();
            return 0;
        }
    }
    fprintf(stderr, "no test %s\n", argv[1]);
    return 2;
}
