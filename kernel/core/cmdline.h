/* SPDX-License-Identifier: MIT */
/* What multiboot.c hands to cmdline.c. */
#ifndef CORE_CMDLINE_H
#define CORE_CMDLINE_H

#include <types.h>

/* Keep the words of the loader's command line, without the kernel's file name. */
void cmdline_set(const char *text);

/* Where the first word of text begins, and where the word at text ends. */
const char *word_start(const char *text);
const char *word_end(const char *text);

/*
 * Copy the words between from and end, one blank between two, without double quotes:
 * GRUB joins words like this and adds quotes of its own, QEMU passes the text as it is.
 * Panics if they do not fit; what names the text in the message.
 */
void words_copy(char *to, size_t size, const char *from, const char *end,
                const char *what);

#endif
