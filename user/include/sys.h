/* SPDX-License-Identifier: MIT */
/* The system calls as C functions; negative results are of enum error (abi/error.h). */
#ifndef SYS_H
#define SYS_H

#include <abi/error.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes to the console, or from it; the result is how many. read waits for one. */
intptr_t write(const void *buffer, size_t bytes);
intptr_t read(void *buffer, size_t bytes);

/* Let other threads run; sleep at least so many milliseconds. */
void yield(void);
void sleep_ms(unsigned ms);

unsigned thread_id(void);
unsigned long time_ms(void); /* since the timer was started */

/* End the program; status is for whoever waits for it. */
__attribute__((noreturn)) void exit(int status);

#endif
