/* SPDX-License-Identifier: MIT */
/*
 * ELF files of 64 bits. Source: System V ABI, "ELF Header" and "Program Header" (gABI,
 * chapters 4 and 5), and its supplement for this processor.
 */
#ifndef ARCH_ELF_H
#define ARCH_ELF_H

#include <types.h>

#define ELF_CLASS 2 /* 64 bits */
#define ELF_LITTLE_ENDIAN 1
#define ELF_EXECUTABLE 2
#define ELF_MACHINE 62 /* EM_X86_64 */

#define ELF_LOAD 1
#define ELF_EXEC 0x1
#define ELF_WRITE 0x2

/* The first bytes of an ELF file. */
struct elf_header {
    uint8_t magic[4];  /* 0x7f 'E' 'L' 'F' */
    uint8_t elf_class; /* ELF_CLASS */
    uint8_t encoding;  /* ELF_LITTLE_ENDIAN */
    uint8_t version;   /* 1 */
    uint8_t unused[9];
    uint16_t type;    /* ELF_EXECUTABLE */
    uint16_t machine; /* ELF_MACHINE */
    uint32_t version_again;
    uint64_t entry;    /* address of the first instruction */
    uint64_t segments; /* where in the file struct elf_segment begins */
    uint64_t sections;
    uint32_t flags;
    uint16_t header_bytes;
    uint16_t segment_bytes; /* of one struct elf_segment */
    uint16_t segment_count;
    uint16_t section_bytes;
    uint16_t section_count;
    uint16_t section_names;
} PACKED;
_Static_assert(sizeof(struct elf_header) == 64, "ELF header");

/* A part of the file that is to be loaded, or says something else about it. */
struct elf_segment {
    uint32_t type;   /* ELF_LOAD, or nothing for a loader */
    uint32_t flags;  /* ELF_EXEC, ELF_WRITE */
    uint64_t offset; /* of its first byte in the file */
    uint64_t va;     /* and in memory */
    uint64_t pa;
    uint64_t file_bytes;   /* from the file */
    uint64_t memory_bytes; /* at least as many; the rest is zeroes */
    uint64_t align;
} PACKED;
_Static_assert(sizeof(struct elf_segment) == 56, "ELF program header");

#endif
