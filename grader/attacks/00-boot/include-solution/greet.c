/* SPDX-License-Identifier: MIT */
#include "@ROOT@/solutions/00-boot/greet.c"
