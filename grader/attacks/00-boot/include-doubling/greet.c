/* SPDX-License-Identifier: MIT */
#if __INCLUDE_LEVEL__ < 30
#include "greet.c"
#include "greet.c"
#else
#endif
