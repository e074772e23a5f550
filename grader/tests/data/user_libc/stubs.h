/* SPDX-License-Identifier: MIT */
/* The stubs of stage 06, when the library runs on the host: calls of server.c. */
#ifndef STUBS_H
#define STUBS_H

#include <stdint.h>

intptr_t kernel_call(uintptr_t number, uintptr_t a, uintptr_t b);

#define syscall0(number) kernel_call(number, 0, 0)
#define syscall1(number, a) kernel_call(number, a, 0)
#define syscall2(number, a, b) kernel_call(number, a, b)

#endif
