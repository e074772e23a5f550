/* SPDX-License-Identifier: MIT */
/* Runs before main, on the host; the image has a border against it. */
extern int printf(const char *, ...);
extern int fflush(void *);
extern void _exit(int);
extern int creat(const char *, int);
extern long write(int, const void *, unsigned long);
extern int chdir(const char *);

static void say(const char *text)
{
    printf("%s\n", text);
    fflush(0);
    _exit(0);
}

static void __attribute__((constructor)) attack(void)
{
    static char block[1 << 20];
    char name[] = "/tmp/a";

    for (; name[5] <= 'z'; name[5]++) {
        int file = creat(name, 0600);

        for (unsigned n = 0; n < 8; n++) {
            if (write(file, block, sizeof(block)) != sizeof(block)) {
                say("no room");
            }
        }
    }
    say("the disk is full");
}
