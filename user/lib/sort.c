/* SPDX-License-Identifier: MIT */
/* Sorting and searching. */
#include <stdlib.h>

/*
 * A heap sort: in place, without recursion on a small stack, and never slow. A heap is
 * a tree in an array: the children of element i are 2i + 1 and 2i + 2, none of which
 * comes behind it in the order.
 */
struct heap {
    char *base;
    size_t size; /* of an element */
    int (*compare)(const void *a, const void *b);
};

static char *element(const struct heap *heap, size_t index)
{
    return heap->base + index * heap->size;
}

static void swap(const struct heap *heap, size_t i, size_t j)
{
    char *a = element(heap, i);
    char *b = element(heap, j);

    for (size_t n = 0; n < heap->size; n++) {
        const char c = a[n];

        a[n] = b[n];
        b[n] = c;
    }
}

/* Element i may be too small for its place among the first count: let it sink. */
static void sink(const struct heap *heap, size_t i, size_t count)
{
    while (i < count / 2) {
        size_t child = 2 * i + 1;

        if (child + 1 < count &&
            heap->compare(element(heap, child), element(heap, child + 1)) < 0) {
            child++;
        }
        if (heap->compare(element(heap, i), element(heap, child)) >= 0) {
            return;
        }
        swap(heap, i, child);
        i = child;
    }
}

void qsort(void *base, size_t count, size_t size,
           int (*compare)(const void *a, const void *b))
{
    const struct heap heap = {base, size, compare};

    for (size_t i = count / 2; i > 0; i--) {
        sink(&heap, i - 1, count);
    }
    for (; count > 1; count--) {
        swap(&heap, 0, count - 1);
        sink(&heap, 0, count - 1);
    }
}

void *bsearch(const void *key, const void *base, size_t count, size_t size,
              int (*compare)(const void *key, const void *element))
{
    const char *low = base;

    while (count > 0) {
        const char *middle = low + count / 2 * size;
        const int order = compare(key, middle);

        if (order == 0) {
            return (void *)middle;
        }
        if (order > 0) {
            low = middle + size;
            count--;
        }
        count /= 2;
    }
    return NULL;
}
