/* SPDX-License-Identifier: MIT */
#if __INCLUDE_LEVEL__ < 20
#warning "again and again and again"
#include "greet.c"
#include "greet.c"
#endif
