/* SPDX-License-Identifier: MIT */
/* Contract of stage 00-boot: the kernel says hello. */
#ifndef COURSE_00_BOOT_H
#define COURSE_00_BOOT_H

/*
 * Print one line on the console: "Hello, ringlab! nonce=" followed by nonce and a
 * newline. nonce: a word of hexadecimal digits from the kernel command line, different
 * in each run. Context: interrupts off. Task 0.1.
 */
void boot_greet(const char *nonce);

#endif
