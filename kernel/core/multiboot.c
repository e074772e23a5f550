/* SPDX-License-Identifier: MIT */
/*
 * Copies what a Multiboot 1 loader handed over, before paging hides it and the heap
 * grows over it. Source: Multiboot Specification 0.6.96, "Boot information format"
 * (3.3).
 */
#include "cmdline.h"

#include <memmap.h>
#include <multiboot.h>
#include <panic.h>
#include <string.h>

#define MULTIBOOT_MAGIC 0x2badb002u

/* Which fields of the information are valid. */
#define INFO_MEMORY 0x01u
#define INFO_CMDLINE 0x04u
#define INFO_MODULES 0x08u
#define INFO_MEMORY_MAP 0x40u

#define RANGES_MAX 64
#define RESERVED_MAX 128
#define MODULES_MAX 32

struct multiboot_info {
    uint32_t flags;
    uint32_t mem_lower; /* KiB from address 0 */
    uint32_t mem_upper; /* KiB from 1 MiB */
    uint32_t boot_device;
    uint32_t cmdline_pa;
    uint32_t mods_count;
    uint32_t mods_pa;
    uint32_t syms[4];
    uint32_t mmap_bytes;
    uint32_t mmap_pa;
} PACKED;
_Static_assert(sizeof(struct multiboot_info) == 52, "Multiboot information");
_Static_assert(offsetof(struct multiboot_info, mmap_bytes) == 44, "mmap_length");

struct multiboot_module {
    uint32_t start_pa;
    uint32_t end_pa; /* one past the last byte */
    uint32_t string_pa;
    uint32_t reserved;
} PACKED;
_Static_assert(sizeof(struct multiboot_module) == 16, "Multiboot module");

struct multiboot_range {
    uint32_t size; /* of what follows this field; the next entry is behind it */
    uint64_t base_pa;
    uint64_t bytes;
    uint32_t type; /* 1: RAM */
} PACKED;
_Static_assert(sizeof(struct multiboot_range) == 24, "Multiboot memory map entry");

#define RANGE_RAM 1u
#define RANGE_SIZE_LEAST (sizeof(struct multiboot_range) - sizeof(uint32_t))

/* What the kernel will write to, no matter what the loader put there. */
static const struct area {
    const char *name;
    uint32_t start_pa;
    uint32_t bytes;
    bool pool; /* whose frames are handed out */
} areas[] = {
    {"heap", HEAP_BASE, HEAP_BYTES, false},
    {"kernel stacks", KSTACK_BASE, FRAME_POOL_BASE - KSTACK_BASE, false},
    {"frame pool", FRAME_POOL_BASE, FRAME_POOL_BYTES, true},
};

extern char image_text_start[], image_end[];

static struct memory_range boot_map[RANGES_MAX];
static size_t range_count;
static struct memory_range boot_reserved[RESERVED_MAX];
static size_t reserved_count;
static struct module modules[MODULES_MAX];
static size_t module_count;

static void add_reserved(uint64_t base_pa, uint64_t bytes)
{
    if (reserved_count == RESERVED_MAX) {
        panic("the boot loader left more than %u pieces of memory", RESERVED_MAX);
    }
    boot_reserved[reserved_count++] =
        (struct memory_range){.base_pa = base_pa, .bytes = bytes};
}

/* Reserve these bytes; panic unless the kernel can reach them and leaves them alone. */
static void claim(const char *what, uint32_t start, uint64_t bytes)
{
    uint64_t end = start + bytes;

    if (end > IDENTITY_END) {
        panic("%s at 0x%x, %llu bytes, lies beyond 0x%x, where the kernel's map ends",
              what, (unsigned)start, (unsigned long long)bytes, IDENTITY_END);
    }
    for (size_t i = 0; i < ARRAY_SIZE(areas); i++) {
        const struct area *area = &areas[i];

        if (start < area->start_pa + area->bytes && end > area->start_pa) {
            panic("%s at 0x%x, %llu bytes, overlaps the %s at 0x%x", what,
                  (unsigned)start, (unsigned long long)bytes, area->name,
                  (unsigned)area->start_pa);
        }
    }
    add_reserved(start, bytes);
}

/* What is the kernel's own. */
static void claim_kernel(void)
{
    reserved_count = 0;
    add_reserved(0, KERNEL_BASE);
    add_reserved((uintptr_t)image_text_start, (size_t)(image_end - image_text_start));
    for (size_t i = 0; i < ARRAY_SIZE(areas); i++) {
        if (!areas[i].pool) {
            add_reserved(areas[i].start_pa, areas[i].bytes);
        }
    }
}

static const char *checked_string(const char *what, uint32_t string_pa)
{
    const char *text = (const char *)(uintptr_t)string_pa;

    claim(what, string_pa, 1);
    claim(what, string_pa, strlen(text) + 1);
    return text;
}

static void add_range(uint64_t base_pa, uint64_t bytes, bool usable)
{
    if (range_count == RANGES_MAX) {
        panic("the memory map has more than %u ranges", RANGES_MAX);
    }
    boot_map[range_count++] =
        (struct memory_range){.base_pa = base_pa, .bytes = bytes, .usable = usable};
}

static void copy_memory_map(const struct multiboot_info *info)
{
    uint32_t offset = 0;

    range_count = 0;
    if ((info->flags & INFO_MEMORY_MAP) == 0) {
        if ((info->flags & INFO_MEMORY) == 0) {
            panic("the boot loader gave no memory map");
        }
        add_range(0, (uint64_t)info->mem_lower * 1024, true);
        add_range(KERNEL_BASE, (uint64_t)info->mem_upper * 1024, true);
        return;
    }
    claim("the memory map", info->mmap_pa, info->mmap_bytes);
    while (info->mmap_bytes - offset >= sizeof(struct multiboot_range)) {
        const struct multiboot_range *range =
            (const struct multiboot_range *)((uintptr_t)info->mmap_pa + offset);
        uint32_t left = info->mmap_bytes - offset - sizeof(range->size);

        if (range->size < RANGE_SIZE_LEAST || range->size > left) {
            panic("an entry of the memory map has %u bytes", (unsigned)range->size);
        }
        add_range(range->base_pa, range->bytes, range->type == RANGE_RAM);
        offset += sizeof(range->size) + range->size;
    }
}

/* The end of the RAM range that holds address, or address itself if none does. */
static uint64_t ram_end(uint64_t address)
{
    for (size_t i = 0; i < range_count; i++) {
        const struct memory_range *range = &boot_map[i];

        if (range->usable && address >= range->base_pa &&
            address - range->base_pa < range->bytes) {
            return range->base_pa + range->bytes;
        }
    }
    return address;
}

static void check_memory(void)
{
    uint64_t end = KERNEL_BASE;

    /* Ranges may adjoin, in any order. */
    while (ram_end(end) > end) {
        end = ram_end(end);
    }
    if (end < FRAME_POOL_BASE + FRAME_POOL_BYTES) {
        panic("the machine has RAM only up to 0x%llx, the kernel needs it up to 0x%x",
              (unsigned long long)end, FRAME_POOL_BASE + FRAME_POOL_BYTES);
    }
}

/* The string is "folder/name words"; QEMU passes it so, grub.cfg repeats the name. */
static void copy_module_string(struct module *module, const char *text)
{
    const char *name = word_start(text);
    const char *end = word_end(name);

    for (const char *c = name; c < end; c++) {
        if (*c == '/') {
            name = c + 1;
        }
    }
    words_copy(module->name, sizeof(module->name), name, end, "a module's name");
    words_copy(module->args, sizeof(module->args), end, end + strlen(end),
               "the text behind a module's name");
}

static void copy_module(struct module *module, const struct multiboot_module *from)
{
    uint32_t bytes = from->end_pa - from->start_pa;
    uint64_t whole_pages = ((uint64_t)bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1ull);

    if (from->string_pa != 0) {
        copy_module_string(module, checked_string("a module's text", from->string_pa));
    }
    if (from->end_pa < from->start_pa || from->start_pa % PAGE_BYTES != 0) {
        panic("module \"%s\" from 0x%x to 0x%x is not page-aligned", module->name,
              (unsigned)from->start_pa, (unsigned)from->end_pa);
    }
    claim(module->name, from->start_pa, whole_pages);
    module->start_pa = from->start_pa;
    module->bytes = bytes;
}

static void copy_modules(const struct multiboot_info *info)
{
    const struct multiboot_module *list =
        (const struct multiboot_module *)(uintptr_t)info->mods_pa;

    module_count = 0;
    if ((info->flags & INFO_MODULES) == 0) {
        return;
    }
    if (info->mods_count > MODULES_MAX) {
        panic("%u modules, but at most %u can be kept", (unsigned)info->mods_count,
              MODULES_MAX);
    }
    claim("the list of modules", info->mods_pa,
          info->mods_count * sizeof(struct multiboot_module));
    for (; module_count < info->mods_count; module_count++) {
        copy_module(&modules[module_count], &list[module_count]);
    }
}

void multiboot_init(uint32_t magic, uintptr_t info_pa)
{
    const struct multiboot_info *info = (const struct multiboot_info *)info_pa;

    if (magic != MULTIBOOT_MAGIC) {
        panic("magic 0x%x: the kernel must be started by a Multiboot 1 loader",
              (unsigned)magic);
    }
    claim_kernel();
    claim("the Multiboot information", (uint32_t)info_pa, sizeof(*info));
    if ((info->flags & INFO_CMDLINE) != 0) {
        cmdline_set(checked_string("the command line", info->cmdline_pa));
    }
    copy_memory_map(info);
    check_memory();
    copy_modules(info);
}

const struct memory_range *memory_map(size_t *count)
{
    *count = range_count;
    return boot_map;
}

const struct memory_range *memory_reserved(size_t *count)
{
    *count = reserved_count;
    return boot_reserved;
}

const struct module *module_at(size_t index)
{
    return index < module_count ? &modules[index] : NULL;
}

const struct module *module_find(const char *name)
{
    for (size_t i = 0; i < module_count; i++) {
        if (strcmp(modules[i].name, name) == 0) {
            return &modules[i];
        }
    }
    return NULL;
}
