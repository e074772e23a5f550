/* SPDX-License-Identifier: MIT */
/*
 * Spawns the program "quiet" as often as its word says: half of them one after another,
 * with a status of its own each, the others in groups, all of a group at once. Ends
 * with how often it did not go well.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys.h>

#define GROUP 8

static char digits[8];

static const char *text_of(unsigned number)
{
    char *at = digits + sizeof(digits) - 1;

    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    return at;
}

int main(int argc, char *argv[])
{
    const unsigned times = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    int wrong = 0;

    for (unsigned i = 0; i < times / 2; i++) {
        intptr_t status = -1;
        const int pid = spawn("quiet", text_of(i));

        wrong += pid < 0 || wait(pid, &status) != pid || status != (intptr_t)i;
    }
    for (unsigned i = 0; i < times / 2; i += GROUP) {
        for (unsigned n = 0; n < GROUP; n++) {
            wrong += spawn("quiet", "3") < 0;
        }
        for (unsigned n = 0; n < GROUP; n++) {
            intptr_t status = -1;

            wrong += wait(0, &status) < 0 || status != 3;
        }
    }
    return wrong;
}
