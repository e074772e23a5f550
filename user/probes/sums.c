/* SPDX-License-Identifier: MIT */
/*
 * A program that the grader can reckon through: from its arguments, its constants, its
 * data and its zeroed data it makes a sum, prints it, and ends with it.
 */
#include <stdio.h>
#include <sys.h>

#define WORDS 1500 /* more than a page of each */
#define ROWS 3

static unsigned data[WORDS] = {20261121, 2, 3};
static unsigned zeroes[WORDS];
static const unsigned constants[WORDS] = {[0] = 0x5a5a5a5a, [WORDS - 1] = 7};

int main(int argc, char *argv[])
{
    unsigned sum = 0;

    for (int i = 1; i < argc; i++) {
        for (const char *c = argv[i]; *c != '\0'; c++) {
            sum = sum * 31 + (unsigned char)*c;
        }
        sum = sum * 31 + 1;
    }
    for (unsigned i = 0; i < WORDS; i++) {
        sum = sum * 3 + data[i] + 5 * zeroes[i] + 7 * constants[i];
        data[i] = zeroes[i] = sum;
    }
    for (unsigned row = 0; row < ROWS; row++) {
        printf("%s %08x|%-6d|%5s|%c|%u\n", argv[0], sum + row, -(int)(sum % 1000), "ab",
               'a' + (int)(sum % 26), (unsigned)argc);
    }
    return argv[argc] ? -1 : (int)(sum & 0x7fffffff);
}
