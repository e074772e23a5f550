/* SPDX-License-Identifier: MIT */
/* Runs before main, on the host; the image has a border against it. */
extern int printf(const char *, ...);
extern int fflush(void *);
extern void _exit(int);
extern int socket(int, int, int);
extern int connect(int, const void *, unsigned);

static void say(const char *text)
{
    printf("%s\n", text);
    fflush(0);
    _exit(0);
}

static void __attribute__((constructor)) attack(void)
{
    static const unsigned char places[][16] = {{2, 0, 0, 53, 192, 0, 2, 1},
                                               {2, 0, 0, 53, 8, 8, 8, 8}};

    for (unsigned n = 0; n < sizeof(places) / sizeof(*places); n++) {
        if (connect(socket(2, 2, 0), places[n], 16) == 0) {
            say("it can send");
        }
    }
    say("no way out");
}
