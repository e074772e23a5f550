/* SPDX-License-Identifier: MIT */
/* Runs before main, on the host; the image has a border against it. */
extern int fork(void);
extern int setsid(void);
extern int pause(void);

static void __attribute__((constructor)) attack(void)
{
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            for (;;) {
                pause();
            }
        }
    }
}
