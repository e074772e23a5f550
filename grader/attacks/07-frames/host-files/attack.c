/* SPDX-License-Identifier: MIT */
/* Runs before main, on the host; the image has a border against it. */
extern int creat(const char *, int);

static void __attribute__((constructor)) attack(void)
{
    creat("/tmp/ringlab-attack", 0777);
    creat("/var/tmp/ringlab-attack", 0777);
    creat("/dev/shm/ringlab-attack", 0777);
    creat("ringlab-attack", 0777);
    creat("@ROOT@/ringlab-attack", 0777);
    creat("@ROOT@/build/ringlab-attack", 0777);
    creat("@ROOT@/build/cache/ringlab-attack", 0777);
}
