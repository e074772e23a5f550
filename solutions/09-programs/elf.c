/* SPDX-License-Identifier: MIT */
/* ELF executables: are they what they say, and how do they get into memory. */
#include <course/09-programs.h>
#include <memory.h>
#include <string.h>
#include <task.h>

/* BEGIN SOLUTION 9.1: the parts of the file, and of a segment in memory */
static const struct elf_segment *segments_of(const struct elf_header *header)
{
    return (const void *)((const char *)header + header->segments);
}

static bool inside(uint64_t offset, uint64_t length, uint64_t bytes)
{
    return offset <= bytes && length <= bytes - offset;
}

static uintptr_t page_of(uintptr_t va)
{
    return va & ~(uintptr_t)(PAGE_BYTES - 1);
}

static bool is_loaded(const struct elf_segment *segment)
{
    return segment->type == ELF_LOAD && segment->memory_bytes > 0;
}

static uintptr_t last_va(const struct elf_segment *segment)
{
    return (uintptr_t)(segment->va + (segment->memory_bytes - 1));
}

static int check_header(const struct elf_header *header, size_t bytes)
{
    if (bytes < sizeof(*header)) {
        return E_ELF_SHORT;
    }
    if (memcmp(header->magic,
               "\x7f"
               "ELF",
               sizeof(header->magic)) != 0 ||
        header->elf_class != ELF_CLASS || header->encoding != ELF_LITTLE_ENDIAN ||
        header->version != 1) {
        return E_ELF_FORMAT;
    }
    if (header->machine != ELF_MACHINE) {
        return E_ELF_MACHINE;
    }
    if (header->type != ELF_EXECUTABLE) {
        return E_ELF_TYPE;
    }
    if (header->segment_bytes != sizeof(struct elf_segment)) {
        return E_ELF_SEGMENTS;
    }
    return inside(header->segments,
                  (uint64_t)header->segment_count * sizeof(struct elf_segment), bytes)
               ? E_OK
               : E_ELF_SHORT;
}

static int check_segment(const struct elf_segment *segment, size_t bytes)
{
    if (!inside(segment->offset, segment->file_bytes, bytes)) {
        return E_ELF_SHORT;
    }
    if (segment->file_bytes > segment->memory_bytes) {
        return E_ELF_SIZE;
    }
    if (segment->memory_bytes > 0 &&
        (segment->va < PROGRAM_LOW || segment->va >= PROGRAM_HIGH ||
         segment->memory_bytes > PROGRAM_HIGH - segment->va)) {
        return E_ELF_PLACE;
    }
    return E_OK;
}

static bool share_page(const struct elf_segment *a, const struct elf_segment *b)
{
    return page_of((uintptr_t)a->va) <= last_va(b) &&
           page_of((uintptr_t)b->va) <= last_va(a);
}
/* END SOLUTION 9.1 */

int elf_check(const void *image, size_t bytes)
{
    /* BEGIN SOLUTION 9.1: from outside inwards; nothing is used before it is known */
    const struct elf_header *header = image;
    const struct elf_segment *segments;
    int error = check_header(header, bytes);
    bool any = false, entry = false;

    if (error != E_OK) {
        return error;
    }
    segments = segments_of(header);
    for (unsigned i = 0; i < header->segment_count && error == E_OK; i++) {
        const struct elf_segment *s = &segments[i];

        if (s->type == ELF_LOAD) {
            error = check_segment(s, bytes);
        }
        if (error == E_OK && is_loaded(s)) {
            any = true;
            entry = entry || ((s->flags & ELF_EXEC) && header->entry >= s->va &&
                              header->entry <= last_va(s));
            for (unsigned j = 0; j < i; j++) {
                if (is_loaded(&segments[j]) && share_page(s, &segments[j])) {
                    error = E_ELF_OVERLAP;
                }
            }
        }
    }
    if (error != E_OK) {
        return error;
    }
    return !any ? E_ELF_SEGMENTS : (entry ? E_OK : E_ELF_ENTRY);
    /* END SOLUTION 9.1 */
}

/* BEGIN SOLUTION 9.2: one page of a segment: zeroes, and what the file has for it */
static int load_page(uintptr_t root_pa, const char *image, const struct elf_segment *s,
                     uintptr_t page_va)
{
    const uintptr_t frame_pa = frame_alloc();
    const uintptr_t from = page_va > s->va ? page_va : (uintptr_t)s->va;
    const uintptr_t file_end = (uintptr_t)(s->va + s->file_bytes);
    const uintptr_t page_end = page_va + PAGE_BYTES;
    const uintptr_t to = file_end < page_end ? file_end : page_end;
    const unsigned rights = (s->flags & ELF_WRITE ? SPACE_WRITE : 0) |
                            (s->flags & ELF_EXEC ? SPACE_EXEC : 0);

    if (frame_pa == 0) {
        return E_NOMEM;
    }
    if (from < to) {
        memcpy((char *)frame_pa + (from - page_va),
               image + s->offset + (from - (uintptr_t)s->va), to - from);
    }
    if (space_map(root_pa, page_va, frame_pa, rights) != E_OK) {
        frame_free(frame_pa);
        return E_NOMEM;
    }
    return E_OK;
}
/* END SOLUTION 9.2 */

int elf_load(uintptr_t root_pa, const void *image, size_t bytes, uintptr_t *entry)
{
    /* BEGIN SOLUTION 9.2: every page that a segment touches */
    const struct elf_header *header = image;
    const struct elf_segment *segments = segments_of(header);

    (void)bytes;
    for (unsigned i = 0; i < header->segment_count; i++) {
        const struct elf_segment *s = &segments[i];

        if (!is_loaded(s)) {
            continue;
        }
        for (uintptr_t va = page_of((uintptr_t)s->va); va <= last_va(s);
             va += PAGE_BYTES) {
            if (load_page(root_pa, image, s, va) != E_OK) {
                return E_NOMEM;
            }
        }
    }
    *entry = (uintptr_t)header->entry;
    return E_OK;
    /* END SOLUTION 9.2 */
}
