/* SPDX-License-Identifier: MIT */
/* Memory in blocks, out of a heap that grows by heap_grow (sys.h). */
#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys.h>

/*
 * The heap is blocks without gaps. Each begins with a header that knows its own length
 * and that of the block in front, so that a block that is freed finds both neighbours
 * and becomes one with those that are free. A header alone, in use for ever, is the end:
 *
 *   | header | memory ... | header | memory ... | ... | header |
 *
 * Free blocks are in a list, through what is memory otherwise. The first that is long
 * enough is taken, and split if there is more. Should something else call heap_grow in
 * between, the heap goes on in another region, with an end of its own.
 */
struct block {
    alignas(16) size_t before; /* bytes of the block in front of this, 0: none */
    size_t bytes;              /* of this one, header included; a multiple of ALIGN */
    bool free;
};

struct links {
    struct free_block *next;
    struct free_block *previous;
};
