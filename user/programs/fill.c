/* SPDX-License-Identifier: MIT */
/* Takes all memory that there is, and uses it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys.h>

#define BLOCK_BYTES (64 * 1024)
#define SECONDS_MOST 3600

int main(int argc, char *argv[])
{
    const long seconds = argc == 2 && isdigit(*argv[1]) ? atol(argv[1]) : 0;
    unsigned blocks = 0;
    char *block;

    if (argc > 2 || (argc == 2 && !isdigit(*argv[1])) || seconds > SECONDS_MOST) {
        printf("usage: %s [SECONDS]: how long it keeps the memory\n", argv[0]);
        return 1;
    }
    while ((block = malloc(BLOCK_BYTES)) != NULL) {
        memset(block, 0xff, BLOCK_BYTES); /* a page may come with its first use only */
        blocks++;
    }
    printf("%s: malloc gave %u KiB\n", argv[0], blocks * (BLOCK_BYTES / 1024));
    sleep_ms((unsigned)seconds * 1000);
    return 0;
}
