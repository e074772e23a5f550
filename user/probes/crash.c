/* SPDX-License-Identifier: MIT */
/* A program that raises the fault that its only word names: d, u, g or p. */
#include <sys.h>

int main(int argc, char *argv[])
{
    for (volatile int i = 0; i < 5000; i++) {
    }
    switch (argv[1][0]) {
    case 'd':
        __asm__ volatile("xor %%edx, %%edx; mov $1, %%eax; div %%edx"
                         :
                         :
                         : "eax", "edx");
        break;
    case 'u':
        __asm__ volatile("ud2");
        break;
    case 'g':
        __asm__ volatile("cli");
        break;
    default:
        *(volatile int *)(0x100000ul * (unsigned)argc) = 1; /* of the kernel's */
    }
    return 0;
}
