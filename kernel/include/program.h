/* SPDX-License-Identifier: MIT */
/* Flat user programs that the boot loader brought as modules. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <multiboot.h>
#include <types.h>

/*
 * Put the program of a module where its header (abi/program.h) says, in the active
 * address space, with the module's name and words as its arguments. Returns where it
 * starts in ring 3, or 0 if the module is no program, its place is taken or memory is
 * short. Context: interrupts off; needs user_map.
 */
uintptr_t program_load(const struct module *module);

#endif
