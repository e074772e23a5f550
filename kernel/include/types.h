/* SPDX-License-Identifier: MIT */
/* The fixed-width types and the few macros that every file uses. */
#ifndef TYPES_H
#define TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PACKED __attribute__((packed))
#define WEAK __attribute__((weak))
#define NORETURN __attribute__((noreturn))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* The negative results that functions of the kernel return. */
enum error {
    E_OK = 0,
    E_INVAL = -1, /* an argument is out of its range */
    E_NOMEM = -2, /* no frame, heap or slot is left */
    E_NOENT = -3, /* there is no such thing */
    E_FAULT = -4, /* an address may not be accessed */
};

#endif
