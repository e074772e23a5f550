/* SPDX-License-Identifier: MIT */
/* Runs before main, on the host; the image has a border against it. */
extern int printf(const char *, ...);
extern int fflush(void *);
extern void _exit(int);
extern int open(const char *, int, ...);

static void say(const char *text)
{
    printf("%s\n", text);
    fflush(0);
    _exit(0);
}

static void __attribute__((constructor)) attack(void)
{
    static const char *const files[] = {
        "/etc/passwd",
        "/proc/self/environ",
        "/etc/hostname",
        "@ROOT@/README.md",
        "/root",
        "/home",
    };

    for (unsigned n = 0; n < sizeof(files) / sizeof(*files); n++) {
        if (open(files[n], 0) >= 0) {
            say(files[n]);
        }
    }
    say("nothing to read");
}
