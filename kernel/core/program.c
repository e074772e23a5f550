/* SPDX-License-Identifier: MIT */
/* Loads flat user programs: pages, bytes, arguments. */
#include <abi/program.h>
#include <course/04-ring3.h>
#include <memmap.h>
#include <memory.h>
#include <program.h>
#include <string.h>

#define ARGUMENTS_MOST 16

/* A page for ring 3 at va, writable; the kernel's address of it, or NULL. */
static char *page_at(uintptr_t va)
{
    const uintptr_t frame_pa = frame_alloc();

    if (frame_pa == 0 || user_map(va, frame_pa, USER_MAP_WRITE) != E_OK) {
        return NULL;
    }
    return (char *)frame_pa;
}

/* The words of abi/program.h: the texts stand behind the place for all pointers. */
static bool put_arguments(const struct module *module, uintptr_t va)
{
    char *page = page_at(va);
    uintptr_t *word = (uintptr_t *)page;
    size_t used = (ARGUMENTS_MOST + 2) * sizeof(*word);
    const char *rest = module->args;

    if (!page) {
        return false;
    }
    word[0] = 1;
    word[1] = va + used;
    used += strlcpy(page + used, module->name, MODULE_NAME_BYTES) + 1;
    while (word[0] < ARGUMENTS_MOST) {
        while (*rest == ' ') {
            rest++;
        }
        if (*rest == '\0') {
            break;
        }
        word[++word[0]] = va + used;
        while (*rest != ' ' && *rest != '\0') {
            page[used++] = *rest++;
        }
        page[used++] = '\0';
    }
    return true;
}

static bool valid(const struct module *module, const struct program_header *header)
{
    return module->bytes >= sizeof(*header) && header->magic == PROGRAM_MAGIC &&
           header->base % PAGE_BYTES == 0 && header->base > USER_BASE &&
           header->end <= USER_END && header->base < header->end &&
           header->end - header->base >= module->bytes &&
           header->entry >= header->base && header->entry < header->end;
}

uintptr_t program_load(const struct module *module)
{
    const struct program_header *header = (const void *)module->start_pa;

    if (!valid(module, header) || !put_arguments(module, header->base - PAGE_BYTES)) {
        return 0;
    }
    for (uintptr_t va = header->base; va < header->end; va += PAGE_BYTES) {
        const size_t done = va - header->base;
        const size_t left = done < module->bytes ? module->bytes - done : 0;
        char *page = page_at(va);

        if (!page) {
            return 0;
        }
        memcpy(page, (const char *)header + done,
               left < PAGE_BYTES ? left : PAGE_BYTES);
    }
    return header->entry;
}
