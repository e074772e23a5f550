/* SPDX-License-Identifier: MIT */
/* The fixed-width types and the few macros that every file uses. */
#ifndef TYPES_H
#define TYPES_H

#include <abi/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PACKED __attribute__((packed))
#define WEAK __attribute__((weak))
#define NORETURN __attribute__((noreturn))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

#endif
