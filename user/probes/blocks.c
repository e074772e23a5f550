/* SPDX-License-Identifier: MIT */
/*
 * A program that asks malloc for blocks and gives them back, in an order that its words
 * (a seed and how often) say. Each block holds bytes of its own. Ends with how often a
 * byte was another one, or no memory came.
 */
#include <stdlib.h>
#include <string.h>

#define BLOCKS 64

static struct block {
    unsigned char *bytes;
    size_t size;
    unsigned char content;
} blocks[BLOCKS];

static unsigned long state;

static unsigned next(unsigned below)
{
    state = state * 1103515245 + 12345;
    return (unsigned)(state >> 16) % 32768 % below;
}

static int is_spoiled(const struct block *block)
{
    for (size_t i = 0; i < block->size; i++) {
        if (block->bytes[i] != block->content) {
            return 1;
        }
    }
    return 0;
}

int main(int argc, char *argv[])
{
    int wrong = argc != 3;

    state = strtoul(argv[1], NULL, 16);
    for (unsigned long left = strtoul(argv[2], NULL, 10); left > 0; left--) {
        struct block *block = &blocks[next(BLOCKS)];

        if (block->bytes) {
            wrong += is_spoiled(block);
            free(block->bytes);
            block->bytes = NULL;
            continue;
        }
        block->size = 1 + next(next(8) == 0 ? 20000 : 400);
        block->content = (unsigned char)(1 + next(255));
        block->bytes = malloc(block->size);
        if (!block->bytes) {
            wrong++;
            continue;
        }
        memset(block->bytes, block->content, block->size);
    }
    return wrong;
}
