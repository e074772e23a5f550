/* SPDX-License-Identifier: MIT */
/* The command line, and the loader's structures as QEMU and as GRUB write them. */
#include "host.h"

#include <memmap.h>
#include <multiboot.h>

void cmdline_set(const char *text);

#define MAGIC 0x2badb002u
#define LOW_PA 0x00200000u /* room for the loader's structures */
#define LOW_BYTES 0x10000u
#define FLAGS 0x4c /* command line, modules, memory map */

static uint32_t *info;
static uint32_t *list;
static char *text_end;

static uint32_t put_text(const char *text)
{
    char *place = text_end;

    strcpy(place, text);
    text_end += strlen(text) + 1;
    return (uint32_t)(uintptr_t)place;
}

static void put_module(unsigned index, uint32_t start, uint32_t bytes, const char *text)
{
    list[4 * index] = start;
    list[4 * index + 1] = start + bytes;
    list[4 * index + 2] = put_text(text);
}

static char *put_range(char *to, uint64_t base, uint64_t bytes, uint32_t type)
{
    uint32_t size = 20;

    memcpy(to, &size, 4);
    memcpy(to + 4, &base, 8);
    memcpy(to + 12, &bytes, 8);
    memcpy(to + 20, &type, 4);
    return to + 24;
}

/* Whether memory_reserved has exactly this range. */
static bool is_reserved(uint64_t base_pa, uint64_t bytes)
{
    size_t count;
    const struct memory_range *ranges = memory_reserved(&count);

    for (size_t i = 0; i < count; i++) {
        if (ranges[i].base_pa == base_pa && ranges[i].bytes == bytes) {
            return true;
        }
    }
    return false;
}

/* A machine of 32 MiB and no modules. */
static void reset(const char *cmdline)
{
    char *map = (char *)(uintptr_t)LOW_PA + 0x4000;
    char *end = map;

    memset((void *)(uintptr_t)LOW_PA, 0, LOW_BYTES);
    info = (uint32_t *)(uintptr_t)LOW_PA;
    list = info + 0x400;
    text_end = (char *)info + 0x8000;
    end = put_range(end, 0, 0x9fc00, 1);
    end = put_range(end, 0x800000, 0x1800000, 1);
    end = put_range(end, 0x100000, 0x700000, 1);
    end = put_range(end, 0xfffc0000, 0x40000, 2);
    info[0] = FLAGS;
    info[4] = put_text(cmdline);
    info[5] = 0;
    info[6] = LOW_PA + 0x1000;
    info[11] = (uint32_t)(end - map);
    info[12] = LOW_PA + 0x4000;
}

static void init(void)
{
    multiboot_init(MAGIC, LOW_PA);
}

static bool has_text(const char *key, const char *expected)
{
    char value[32];

    return cmdline_text(key, value, sizeof(value)) == (int)strlen(expected) &&
           strcmp(value, expected) == 0;
}

void test_cmdline(void)
{
    static const char *const alike[] = {
        "/tmp/a=b/kernel.elf scenario=port-sweep file=a/b seed=0xFFeeDDccBBaa9988",
        "scenario=port-sweep file=a/b seed=0xFFeeDDccBBaa9988",
        "  build/k   scenario=port-sweep  \"file=a/b\"   seed=ffeeddccbbaa9988  ",
        "kernel.elf scenario=port-sweep file=a/b seed=ffeeddccbbaa9988 seed=1",
    };
    char value[4];
    char longer[1200];

    for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++) {
        cmdline_set(alike[i]);
        CHECK(has_text("scenario", "port-sweep") && has_text("file", "a/b"));
        CHECK(cmdline_hex("seed", 1) == 0xffeeddccbbaa9988);
        CHECK(cmdline_text("scen", value, sizeof(value)) == E_NOENT);
        CHECK(cmdline_text("sweep", value, sizeof(value)) == E_NOENT);
        CHECK(cmdline_hex("scenario", 7) == 7 && cmdline_hex("none", 9) == 9);
    }
    CHECK(cmdline_text("scenario", value, sizeof(value)) == 10);
    CHECK(strcmp(value, "por") == 0);
    CHECK(cmdline_text("scenario", NULL, 0) == 10);

    cmdline_set("file=a/b a= b=0x c=12345678123456781 d=-1 e=0 f=0X1f g=1g h");
    CHECK(has_text("file", "a/b") && has_text("a", ""));
    CHECK(cmdline_hex("a", 5) == 5 && cmdline_hex("b", 5) == 5);
    CHECK(cmdline_hex("c", 5) == 5 && cmdline_hex("d", 5) == 5);
    CHECK(cmdline_hex("e", 5) == 0 && cmdline_hex("f", 5) == 0x1f);
    CHECK(cmdline_hex("g", 5) == 5 && cmdline_hex("h", 5) == 5);
    cmdline_set("");
    CHECK(cmdline_text("h", value, sizeof(value)) == E_NOENT);
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    CHECK_PANIC("longer than 1023", cmdline_set(longer));
}

static void test_refusals(void)
{
    CHECK_PANIC("Multiboot 1", multiboot_init(0x36d76289, LOW_PA));
    CHECK_PANIC("frame pool", multiboot_init(MAGIC, FRAME_POOL_BASE + 4096));

    reset("");
    info[5] = 1;
    put_module(0, HEAP_BASE - 4096, 4097, "big");
    CHECK_PANIC("big at 0x7ff000, 8192 bytes, overlaps the heap", init());
    put_module(0, HEAP_BASE - 4096, 4096, "fits");
    init();
    put_module(0, FRAME_POOL_BASE + FRAME_POOL_BYTES - 4096, 1, "pool");
    CHECK_PANIC("pool at 0xfff000", init());
    put_module(0, KSTACK_BASE, 1, "s");
    CHECK_PANIC("kernel stacks", init());
    put_module(0, IDENTITY_END - 4096, 4097, "far");
    CHECK_PANIC("beyond", init());
    put_module(0, 0x300010, 1, "odd");
    CHECK_PANIC("page-aligned", init());
    put_module(0, 0x300000, 1, "a-name-that-is-longer-than-31-chars");
    CHECK_PANIC("a module's name is longer", init());
    info[5] = 33;
    CHECK_PANIC("33 modules", init());

    reset("");
    info[4] = HEAP_BASE;
    CHECK_PANIC("the command line at", init());
    reset("");
    info[11] = 24;
    CHECK_PANIC("RAM only up to 0x100000", init());
    info[0] = 0;
    CHECK_PANIC("no memory map", init());
}

void test_multiboot(void)
{
    static const char *const names[] = {"plan", "probe", "empty"};
    size_t count;

    map_fixed(LOW_PA, LOW_BYTES);
    reset("/x/kernel scenario=demo");
    info[5] = 3;
    put_module(0, 0x300000, 5000, "/tmp/x/plan");             /* as QEMU has it */
    put_module(1, 0x302000, 4096, "probe  at=40000000 n=2 "); /* as GRUB has it */
    put_module(2, 0, 0, "sub/empty x/y");
    init();
    CHECK(has_text("scenario", "demo"));
    for (size_t i = 0; i < 3; i++) {
        CHECK(strcmp(module_at(i)->name, names[i]) == 0);
        CHECK(module_find(names[i]) == module_at(i));
    }
    CHECK(module_at(3) == NULL && module_find("none") == NULL);
    CHECK(module_at(0)->start_pa == 0x300000 && module_at(0)->bytes == 5000);
    CHECK(strcmp(module_at(0)->args, "") == 0);
    CHECK(strcmp(module_at(1)->args, "at=40000000 n=2") == 0);
    CHECK(strcmp(module_at(2)->args, "x/y") == 0 && module_at(2)->bytes == 0);
    CHECK(is_reserved(0, KERNEL_BASE));
    CHECK(is_reserved(HEAP_BASE, HEAP_BYTES));
    CHECK(is_reserved(KSTACK_BASE, FRAME_POOL_BASE - KSTACK_BASE));
    CHECK(is_reserved(0x300000, 8192) && is_reserved(0x302000, 4096));
    CHECK(!is_reserved(FRAME_POOL_BASE, FRAME_POOL_BYTES));
    CHECK(memory_map(&count)[1].bytes == 0x1800000 && count == 4);
    CHECK(memory_map(&count)[1].usable && !memory_map(&count)[3].usable);
    CHECK(memory_map(&count)[3].base_pa == 0xfffc0000);
    test_refusals();
}
