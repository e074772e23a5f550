/* SPDX-License-Identifier: MIT */
/* The last error of the library, and what errors mean. */
#include <errno.h>
#include <string.h>

int errno = E_OK;

const char *strerror(int error)
{
    switch (error) {
    case E_OK:
        return "no error";
    case E_INVAL:
        return "an argument is out of its range";
    case E_NOMEM:
        return "memory is short";
    case E_NOENT:
        return "there is no such thing";
    case E_FAULT:
        return "an address may not be accessed";
    case E_NOSYS:
        return "there is no such system call";
    case E_AGAIN:
        return "not yet";
    case E_ELF_SHORT:
        return "the program's file is cut off";
    case E_ELF_FORMAT:
        return "not an ELF file of this class";
    case E_ELF_MACHINE:
        return "a program for another processor";
    case E_ELF_TYPE:
        return "not an executable";
    case E_ELF_SEGMENTS:
        return "the program has nothing to load";
    case E_ELF_SIZE:
        return "a segment has more bytes in the file than in memory";
    case E_ELF_PLACE:
        return "a segment lies where no program may";
    case E_ELF_OVERLAP:
        return "two segments share a page";
    case E_ELF_ENTRY:
        return "the program's entry may not be executed";
    default:
        return "unknown error";
    }
}
