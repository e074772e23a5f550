/* SPDX-License-Identifier: MIT */
/* Between demo.c and its assembly part: faults on purpose, and where to go on. */
#ifndef FAULTS_DEMO_H
#define FAULTS_DEMO_H

#include <types.h>

/* The address behind the instruction that faults next; 0: nobody expects a fault. */
extern uintptr_t demo_resume;

/* Each notes demo_resume, and then faults. They return once the fault is over. */
void demo_divide(void);        /* divides by zero */
void demo_undefined(void);     /* executes bytes that are no instruction */
void demo_selector(void);      /* loads FS with a selector behind the GDT */
void demo_read(uintptr_t va);  /* reads a word */
void demo_write(uintptr_t va); /* writes a word */
void demo_overflow(void);      /* pushes until the stack is full; does not return */

#endif
