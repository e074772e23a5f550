/* SPDX-License-Identifier: MIT */
/* A program that says nothing: ends with its first word's number, or does not end. */
#include <stdlib.h>
#include <sys.h>

int main(int argc, char *argv[])
{
    char c;

    switch (argc < 2 ? '0' : argv[1][0]) {
    case 'e': /* ever */
        for (;;) {
        }
    case 'r': /* reads, and nobody types */
        return (int)read(&c, 1);
    case 'z': /* sleeps, then ends */
        sleep_ms((unsigned)atoi(argv[1] + 1));
        return 7;
    default:
        return argc < 2 ? 0 : atoi(argv[1]);
    }
}
