/* SPDX-License-Identifier: MIT */
/* Runs before main, on the host; the image has a border against it. */
extern int pause(void);

static void __attribute__((constructor)) attack(void)
{
    for (;;) {
        pause();
    }
}
