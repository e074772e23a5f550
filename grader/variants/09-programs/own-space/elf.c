/* SPDX-License-Identifier: MIT */
/* A loader that copies to where the program will run. */
#include <arch/cpu.h>
#include <course/09-programs.h>
#include <memory.h>
#include <string.h>
#include <task.h>

static const struct elf_header *header;
static const struct elf_segment *segments;

static uintptr_t round_down(uint64_t va)
{
    return (uintptr_t)va / PAGE_BYTES * PAGE_BYTES;
}

/* The page behind the last one. */
static uintptr_t end_page(const struct elf_segment *s)
{
    return round_down(s->va + s->memory_bytes + PAGE_BYTES - 1);
}

static bool is_load(const struct elf_segment *s)
{
    return s->type == ELF_LOAD;
}

static int check_one(const struct elf_segment *s, size_t bytes)
{
    uint64_t end;

    if (__builtin_add_overflow((uint64_t)s->offset, (uint64_t)s->file_bytes, &end) ||
        end > bytes) {
        return E_ELF_SHORT;
    }
    if (s->memory_bytes < s->file_bytes) {
        return E_ELF_SIZE;
    }
    if (s->memory_bytes == 0) {
        return E_OK;
    }
    if (__builtin_add_overflow((uint64_t)s->va, (uint64_t)s->memory_bytes, &end) ||
        s->va < PROGRAM_LOW || end > PROGRAM_HIGH) {
        return E_ELF_PLACE;
    }
    for (const struct elf_segment *t = segments; t < s; t++) {
        if (is_load(t) && t->memory_bytes > 0 && round_down(t->va) < end_page(s) &&
            round_down(s->va) < end_page(t)) {
            return E_ELF_OVERLAP;
        }
    }
    return E_OK;
}

int elf_check(const void *image, size_t bytes)
{
    static const unsigned char magic[] = {0x7f, 0x45, 0x4c, 0x46};
    uint64_t end;
    int error = E_ELF_ENTRY;

    header = image;
    if (bytes < sizeof(*header)) {
        return E_ELF_SHORT;
    }
    if (memcmp(header->magic, magic, sizeof(magic)) || header->version != 1 ||
        header->encoding != ELF_LITTLE_ENDIAN || header->elf_class != ELF_CLASS) {
        return E_ELF_FORMAT;
    }
    if (header->type != ELF_EXECUTABLE) {
        return E_ELF_TYPE;
    }
    if (header->machine != ELF_MACHINE) {
        return E_ELF_MACHINE;
    }
    end = (uint64_t)header->segment_count * sizeof(*segments);
    if (__builtin_add_overflow(end, (uint64_t)header->segments, &end) || end > bytes) {
        return E_ELF_SHORT;
    }
    if (header->segment_bytes != sizeof(*segments)) {
        return E_ELF_SEGMENTS;
    }
    segments = (const void *)((const char *)image + header->segments);
    for (unsigned i = 0; i < header->segment_count; i++) {
        const struct elf_segment *s = segments + i;
        const int found = is_load(s) ? check_one(s, bytes) : E_OK;

        if (found != E_OK) {
            return found;
        }
        if (is_load(s) && (s->flags & ELF_EXEC) && header->entry >= s->va &&
            header->entry < s->va + s->memory_bytes) {
            error = E_OK;
        }
    }
    return error;
}

static int map_all(uintptr_t root_pa, const struct elf_segment *s)
{
    for (uintptr_t va = round_down(s->va); va < end_page(s); va += PAGE_BYTES) {
        const uintptr_t frame_pa = frame_alloc();

        if (!frame_pa) {
            return E_NOMEM;
        }
        if (space_map(root_pa, va, frame_pa, SPACE_WRITE)) {
            frame_free(frame_pa);
            return E_NOMEM;
        }
    }
    return E_OK;
}

static void protect(uintptr_t root_pa, const struct elf_segment *s)
{
    unsigned rights = 0;

    if (s->flags & ELF_EXEC) {
        rights |= SPACE_EXEC;
    }
    if (s->flags & ELF_WRITE) {
        rights |= SPACE_WRITE;
    }
    for (uintptr_t va = round_down(s->va); va < end_page(s); va += PAGE_BYTES) {
        space_map(root_pa, va, space_unmap(root_pa, va), rights);
    }
}

int elf_load(uintptr_t root_pa, const void *image, size_t bytes, uintptr_t *entry)
{
    const uintptr_t before = read_cr3();
    int error = E_OK;

    (void)bytes;
    header = image;
    segments = (const void *)((const char *)image + header->segments);
    write_cr3(root_pa);
    for (unsigned i = 0; i < header->segment_count && !error; i++) {
        const struct elf_segment *s = segments + i;

        if (!is_load(s) || !s->memory_bytes) {
            continue;
        }
        error = map_all(root_pa, s);
        if (!error) {
            memcpy((void *)(uintptr_t)s->va, (const char *)image + s->offset,
                   (size_t)s->file_bytes);
            protect(root_pa, s);
        }
    }
    write_cr3(before);
    *entry = (uintptr_t)header->entry;
    return error;
}
