/* SPDX-License-Identifier: MIT */
/* Why a function of the library failed: one of enum error, as the kernel's results. */
#ifndef ERRNO_H
#define ERRNO_H

#include <abi/error.h>

/* E_OK at first; set by functions that say so when they fail, and by no other. */
extern int errno;

#endif
