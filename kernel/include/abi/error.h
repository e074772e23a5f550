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
};

#endif
