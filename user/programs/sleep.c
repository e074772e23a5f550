/* SPDX-License-Identifier: MIT */
/* Does nothing for some seconds, and uses no CPU meanwhile. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys.h>

#define SECONDS_MOST 86400

int main(int argc, char *argv[])
{
    const long seconds = argc == 2 && isdigit(*argv[1]) ? atol(argv[1]) : -1;

    if (seconds < 0 || seconds > SECONDS_MOST) {
        printf("usage: %s SECONDS\n", argv[0]);
        return 1;
    }
    sleep_ms((unsigned)seconds * 1000);
    return 0;
}
