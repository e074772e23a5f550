/* SPDX-License-Identifier: MIT */
/* Lines from the console: the kernel gives characters as they are typed. */
#include <stdio.h>
#include <sys.h>

#define RUB_OUT "\b \b" /* one to the left, a blank over it, one to the left */

size_t read_line(char *line, size_t size)
{
    size_t length = 0;
    char c;

    while (read(&c, 1) == 1 && c != '\n') {
        if (c == '\b') {
            if (length > 0) {
                length--;
                write(RUB_OUT, sizeof(RUB_OUT) - 1);
            }
        } else if (c >= ' ' && length + 1 < size) {
            line[length++] = c;
            write(&c, 1);
        }
    }
    write("\n", 1);
    line[length] = '\0';
    return length;
}
