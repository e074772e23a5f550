/* SPDX-License-Identifier: MIT */
/*
 * Stage 09's elf_check as a program of the host. The file that is its argument holds
 * images, each behind its length; each is put at the begin of a page, and every byte
 * beyond its end is poisoned. Prints "answer N" for each.
 */
#include <course/09-programs.h>
#include <memory.h>
#include <panic.h>
#include <string.h>
#include <task.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <sanitizer/asan_interface.h>

#define MOST_BYTES (1 << 18)

const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "detect_leaks=0:handle_abort=0";
}

/*
 * The sanitizer looks for the stack's end before a call that does not return, and
 * cannot find it in the sandbox.
 */
void __asan_handle_no_return(void);

void __asan_handle_no_return(void)
{
}

void panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("panic ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
    fflush(stdout);
    _Exit(3);
}

void task_open(const char *id)
{
    printf("open %s\n", id);
    fflush(stdout);
    _Exit(4);
}

int kprintf(const char *format, ...)
{
    (void)format;
    return 0;
}

/* What elf_load needs, and elf_check must not. */
uintptr_t frame_alloc(void)
{
    panic("elf_check asks for a frame");
}

void frame_free(uintptr_t frame_pa)
{
    (void)frame_pa;
    panic("elf_check frees a frame");
}

int space_map(uintptr_t root_pa, uintptr_t va, uintptr_t frame_pa, unsigned rights)
{
    (void)root_pa;
    (void)va;
    (void)frame_pa;
    (void)rights;
    panic("elf_check maps a page");
}

uintptr_t space_unmap(uintptr_t root_pa, uintptr_t va)
{
    (void)root_pa;
    (void)va;
    panic("elf_check unmaps a page");
}

int main(int count, char **words)
{
    static _Alignas(PAGE_BYTES) char image[MOST_BYTES];
    FILE *file = fopen(words[count - 1], "rb");
    uint32_t bytes;

    while (file && fread(&bytes, sizeof(bytes), 1, file) == 1) {
        if (bytes > sizeof(image)) {
            return 2;
        }
        ASAN_UNPOISON_MEMORY_REGION(image, sizeof(image));
        if (fread(image, 1, bytes, file) != bytes) {
            return 2;
        }
        ASAN_POISON_MEMORY_REGION(image + bytes, sizeof(image) - bytes);
        printf("answer %d\n", elf_check(image, bytes));
        fflush(stdout);
    }
    printf("end\n");
    return 0;
}
