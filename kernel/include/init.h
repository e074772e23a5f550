/* SPDX-License-Identifier: MIT */
/*
 * The tables through which stages hook into the kernel. The linker gathers the entries
 * of all objects and sorts them by their order, three digits; the core only walks them.
 */
#ifndef INIT_H
#define INIT_H

#include <types.h>

/* Left to itself, the compiler aligns a large entry so that gaps lie between them. */
#define TABLE_ENTRY(place)                                                             \
    __attribute__((used, aligned(sizeof(void *)), section(".table." place)))

struct init_entry {
    const char *name;
    unsigned order;
    void (*fn)(void);
};

struct scenario {
    const char *name;
    unsigned upto; /* runs after the init entries whose order is below this */
    void (*fn)(void);
};

/* Run fn at boot, in ascending order. Context: interrupts off; heap, paging usable. */
#define INIT(number, function)                                                         \
    TABLE_ENTRY("init." #number)                                                       \
    static const struct init_entry init_entry_##function = {                           \
        .name = #function, .order = 1##number - 1000, .fn = (function)}

/*
 * A program for the whole machine, picked by "scenario=<label>" on the kernel command
 * line; without that word "demo" runs. When fn returns the machine halts at the label
 * scenario_done.
 */
#define SCENARIO(label, limit, function)                                               \
    TABLE_ENTRY("scenario." label)                                                     \
    static const struct scenario scenario_entry_##function = {                         \
        .name = (label), .upto = (limit), .fn = (function)}

/* A limit that no init entry reaches: run them all. */
#define AFTER_ALL_INIT 1000

#endif
