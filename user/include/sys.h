/* SPDX-License-Identifier: MIT */
/* The system calls as C functions; negative results are of enum error (abi/error.h). */
#ifndef SYS_H
#define SYS_H

#include <abi/error.h>
#include <abi/process.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes to the console, or from it; the result is how many. read waits for one. */
intptr_t write(const void *buffer, size_t bytes);
intptr_t read(void *buffer, size_t bytes);

/* The next character that was typed, 0 to 255; E_AGAIN if there is none yet. */
int poll(void);

/* Let other threads run; sleep at least so many milliseconds. */
void yield(void);
void sleep_ms(unsigned ms);

unsigned thread_id(void);
unsigned long time_ms(void); /* since the timer was started */

/* End the program; status is for whoever waits for it. */
__attribute__((noreturn)) void exit(int status);

/*
 * Move the end of the heap by so many bytes, up or, if negative, down. Returns where it
 * was, which is where the new bytes begin; NULL, and nothing moves, if that cannot be.
 * New bytes are 0. This is malloc's; see stdlib.h.
 */
void *heap_grow(intptr_t bytes);

/*
 * Start the program of that name as a child of this process; blanks separate its words.
 * Returns its pid, or an error: E_NOENT if there is no such program.
 */
int spawn(const char *name, const char *words);

/*
 * Wait until the child with this pid, or with pid 0 any, has ended, and forget it.
 * *status, unless NULL, is how it ended (abi/status.h). Returns its pid; E_NOENT if
 * there is no such child.
 */
int wait(int pid, intptr_t *status);

/* End another process. E_OK, or E_NOENT if there is none with this pid that runs. */
int kill(int pid);

/* Describe at most count processes, by ascending pid; returns how many there are. */
intptr_t processes(struct process_info *list, size_t count);

/* The number of page frames that are free, and of all. */
intptr_t frames_free(void);
intptr_t frames_all(void);

/* Put a character on the text screen; attribute: bits 3..0 colour, 6..4 background. */
#define SCREEN_COLUMNS 80
#define SCREEN_ROWS 25
int screen_put(unsigned column, unsigned row, unsigned char c, unsigned char attribute);

#endif
