/* SPDX-License-Identifier: MIT */
#if __INCLUDE_LEVEL__ < 14
#warning "again and again and again"
#include "greet.c"
#include "greet.c"
#endif
