/* SPDX-License-Identifier: MIT */
/* The first program. */
#include <stdio.h>

int main(void)
{
    puts("hello from ring 3");
    return 0;
}
