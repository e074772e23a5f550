/* SPDX-License-Identifier: MIT */
/* What the core does for system calls: their table, and what ring 3 may access. */
#ifndef SYSCALL_H
#define SYSCALL_H

#include <abi/calls.h>
#include <init.h>
#include <types.h>

#define SYSCALL_ARGUMENTS 5

/*
 * The kernel's side of one call. arguments: always five words, in the order in which
 * ring 3 gave them; what a call does not use is whatever the registers held. The result
 * is what ring 3 gets; negative ones are of enum error. Context: interrupts on, on the
 * kernel stack of the thread that calls.
 */
typedef intptr_t syscall_fn(const uintptr_t arguments[SYSCALL_ARGUMENTS]);

struct syscall_entry {
    unsigned number;
    syscall_fn *fn;
};

/* Let the call with this number, below SYSCALL_SLOTS, be served by function. */
#define SYSCALL(nr, function)                                                          \
    TABLE_ENTRY("syscall")                                                             \
    static const struct syscall_entry syscall_entry_##function = {.number = (nr),      \
                                                                  .fn = (function)}
#define SYSCALL_SLOTS 64

/*
 * The calls by number, from 0 to below the count. No entry is NULL: a number in between
 * that nobody serves has a function that returns E_NOSYS. What lies beyond is no call.
 * Context: any, after the init entries of order 50.
 */
syscall_fn *const *syscall_table(void);
uintptr_t syscall_count(void);

/*
 * May ring 3 read the page that holds va now, or with write, write it? Looks at every
 * level of the tree that CR3 names; if that says no, the repair hooks are asked, as
 * they would be for a fault. va: any address. Context: any.
 */
bool user_page_query(uintptr_t va, bool write);

#endif
