/* SPDX-License-Identifier: MIT */
/* A line editor without a file: echoes each line with the time, until "quit". */
#include <stdio.h>
#include <string.h>
#include <sys.h>

int main(int argc, char *argv[])
{
    char line[72];
    int lines = 0;

    printf("%s: type lines, \"quit\" ends (thread %u)\n", argv[0], thread_id());
    for (int i = 1; i < argc; i++) {
        printf("argument %d is %s\n", i, argv[i]);
    }
    for (;;) {
        unsigned long ms;

        printf("> ");
        read_line(line, sizeof(line));
        if (strcmp(line, "quit") == 0) {
            return lines;
        }
        ms = time_ms();
        printf("[%4lu.%03lu s] %d: %s\n", ms / 1000, ms % 1000, ++lines, line);
    }
}
