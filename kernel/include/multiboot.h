/* SPDX-License-Identifier: MIT */
/* What the boot loader handed over: command line, memory map, modules. */
#ifndef MULTIBOOT_H
#define MULTIBOOT_H

#include <types.h>

#define MODULE_NAME_BYTES 32
#define MODULE_ARGS_BYTES 256

struct memory_range {
    uint64_t base_pa;
    uint64_t bytes;
    bool usable; /* RAM; otherwise reserved by the firmware */
};

/* A file that was loaded beside the kernel. */
struct module {
    char name[MODULE_NAME_BYTES]; /* the base name, without folders */
    char args[MODULE_ARGS_BYTES]; /* the words behind the name */
    uintptr_t start_pa;           /* page-aligned */
    size_t bytes;
};

/* Copy everything out of the loader's structures; panics if that was not Multiboot. */
void multiboot_init(uint32_t magic, uintptr_t info_pa);

/* The memory map in the loader's order; count is the number of ranges. */
const struct memory_range *memory_map(size_t *count);

/*
 * What nobody may hand out, although the memory map calls some of it usable: the first
 * MiB, the kernel's image, heap and stacks, the modules, and all that the boot loader
 * left. In no order, not cut to pages, and ranges may overlap. usable is false.
 */
const struct memory_range *memory_reserved(size_t *count);

/* Modules by position, in the loader's order (NULL behind the last), and by name. */
const struct module *module_at(size_t index);
const struct module *module_find(const char *name);

/*
 * The word "key=value" of the kernel command line. cmdline_text copies the value and
 * returns its length, or E_NOENT; cmdline_hex reads it as a hexadecimal number, with or
 * without 0x, and returns fallback if the word is missing or malformed.
 */
int cmdline_text(const char *key, char *value, size_t size);
uint64_t cmdline_hex(const char *key, uint64_t fallback);

#endif
