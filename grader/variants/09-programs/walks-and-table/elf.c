/* SPDX-License-Identifier: MIT */
/* One question after the other; and a copy that asks the page tables. */
#include <arch/paging.h>
#include <course/09-programs.h>
#include <memory.h>
#include <string.h>
#include <task.h>

#define LAST(s) ((s)->va + (s)->memory_bytes - 1)

static const struct elf_segment *segment(const void *image, unsigned number)
{
    const struct elf_header *header = image;
    const char *table = (const char *)image + header->segments;

    return (const struct elf_segment *)(table + number * sizeof(struct elf_segment));
}

static bool counts(const struct elf_segment *s)
{
    return s->type == ELF_LOAD && s->memory_bytes != 0;
}

static int kind(const struct elf_header *header)
{
    static const uint8_t first[] = {0x7f, 'E', 'L', 'F', ELF_CLASS, ELF_LITTLE_ENDIAN,
                                    1};

    if (header->segment_bytes != sizeof(struct elf_segment)) {
        return E_ELF_SEGMENTS;
    }
    if (header->type != ELF_EXECUTABLE) {
        return E_ELF_TYPE;
    }
    if (header->machine != ELF_MACHINE) {
        return E_ELF_MACHINE;
    }
    return memcmp(header, first, sizeof(first)) == 0 ? E_OK : E_ELF_FORMAT;
}

static int place(const struct elf_segment *s)
{
    const uint64_t room = PROGRAM_HIGH - PROGRAM_LOW;

    if (s->va < PROGRAM_LOW || s->va - PROGRAM_LOW >= room) {
        return E_ELF_PLACE;
    }
    return s->memory_bytes <= room - (s->va - PROGRAM_LOW) ? E_OK : E_ELF_PLACE;
}

int elf_check(const void *image, size_t bytes)
{
    const struct elf_header *header = image;
    unsigned found = 0, entries = 0;
    int error;

    if (bytes < sizeof(*header) || header->segments > bytes ||
        header->segment_count >
            (bytes - header->segments) / sizeof(struct elf_segment)) {
        return E_ELF_SHORT;
    }
    error = kind(header);
    if (error != E_OK) {
        return error;
    }
    for (unsigned n = 0; n < header->segment_count; n++) {
        const struct elf_segment *s = segment(image, n);

        if (counts(s) && place(s) != E_OK) {
            return E_ELF_PLACE;
        }
    }
    for (unsigned n = 0; n < header->segment_count; n++) {
        const struct elf_segment *s = segment(image, n);

        if (s->type == ELF_LOAD && s->file_bytes > s->memory_bytes) {
            return E_ELF_SIZE;
        }
        if (s->type == ELF_LOAD &&
            (s->file_bytes > bytes || s->offset > bytes - s->file_bytes)) {
            return E_ELF_SHORT;
        }
        if (counts(s)) {
            found++;
            entries += (s->flags & ELF_EXEC) && header->entry - s->va < s->memory_bytes;
        }
    }
    if (found == 0) {
        return E_ELF_SEGMENTS;
    }
    if (entries == 0) {
        return E_ELF_ENTRY;
    }
    for (unsigned n = 0; n < header->segment_count; n++) {
        for (unsigned m = n + 1; m < header->segment_count; m++) {
            const struct elf_segment *a = segment(image, n), *b = segment(image, m);

            if (counts(a) && counts(b) && a->va / PAGE_BYTES <= LAST(b) / PAGE_BYTES &&
                b->va / PAGE_BYTES <= LAST(a) / PAGE_BYTES) {
                return E_ELF_OVERLAP;
            }
        }
    }
    return E_OK;
}

/* The byte that ring 3 sees at va. */
static char *byte_at(uintptr_t root_pa, uintptr_t va)
{
    uintptr_t at = root_pa;

    for (unsigned level = PAGING_LEVELS; level > 0; level--) {
        at = (uintptr_t)(((pte_t *)at)[pte_index(va, level)] & PTE_ADDRESS);
    }
    return (char *)at + va % PAGE_BYTES;
}

static int make_pages(uintptr_t root_pa, const struct elf_segment *s)
{
    const unsigned rights = (s->flags & ELF_WRITE ? SPACE_WRITE : 0) |
                            (s->flags & ELF_EXEC ? SPACE_EXEC : 0);

    for (uintptr_t page = (uintptr_t)(s->va / PAGE_BYTES);
         page <= (uintptr_t)(LAST(s) / PAGE_BYTES); page++) {
        const uintptr_t frame_pa = frame_alloc();

        if (frame_pa == 0) {
            return E_NOMEM;
        }
        if (space_map(root_pa, page * PAGE_BYTES, frame_pa, rights) != E_OK) {
            frame_free(frame_pa);
            return E_NOMEM;
        }
    }
    return E_OK;
}

int elf_load(uintptr_t root_pa, const void *image, size_t bytes, uintptr_t *entry)
{
    const struct elf_header *header = image;

    (void)bytes;
    for (unsigned n = header->segment_count; n-- > 0;) {
        const struct elf_segment *s = segment(image, n);
        const char *from = (const char *)image + s->offset;

        if (!counts(s)) {
            continue;
        }
        if (make_pages(root_pa, s) != E_OK) {
            return E_NOMEM;
        }
        for (size_t done = 0; done < s->file_bytes;) {
            const uintptr_t va = (uintptr_t)s->va + done;
            const size_t page_left = PAGE_BYTES - va % PAGE_BYTES;
            const size_t left = (size_t)s->file_bytes - done;
            const size_t now = left < page_left ? left : page_left;

            memcpy(byte_at(root_pa, va), from + done, now);
            done += now;
        }
    }
    *entry = (uintptr_t)header->entry;
    return E_OK;
}
