/* SPDX-License-Identifier: MIT */
/* The negative results of the kernel's functions and of its system calls. */
#ifndef ABI_ERROR_H
#define ABI_ERROR_H

enum error {
    E_OK = 0,
    E_INVAL = -1, /* an argument is out of its range */
    E_NOMEM = -2, /* no frame, heap or slot is left */
    E_NOENT = -3, /* there is no such thing */
    E_FAULT = -4, /* an address may not be accessed */
    E_NOSYS = -5, /* there is no system call of this number */
    E_AGAIN = -6, /* not yet */

    /* What is wrong with a program's file. */
    E_ELF_SHORT = -20,    /* it ends before something that it names */
    E_ELF_FORMAT = -21,   /* no ELF file, or of another class, order or version */
    E_ELF_MACHINE = -22,  /* for another processor */
    E_ELF_TYPE = -23,     /* no executable: an object, a library */
    E_ELF_SEGMENTS = -24, /* nothing to load, or headers of another size */
    E_ELF_SIZE = -25,     /* a segment has more bytes in the file than in memory */
    E_ELF_PLACE = -26,    /* a segment lies, in part, where no program may */
    E_ELF_OVERLAP = -27,  /* two segments share a page */
    E_ELF_ENTRY = -28,    /* the entry is in no segment that may be executed */
};

#endif
