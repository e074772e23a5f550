/* SPDX-License-Identifier: MIT */
/* Runs before main, on the host; the image has a border against it. */
extern int printf(const char *, ...);
extern int fflush(void *);
extern void _exit(int);

static void __attribute__((constructor)) attack(void)
{
    for (;;) {
        printf("Total: 100/100\n");
    }
}
