/* SPDX-License-Identifier: MIT */
/* Resets the machine by its keyboard controller. */
#include <arch/cpu.h>
#include <course/06-syscalls.h>

void syscall_init(void)
{
    outb(0x64, 0xfe);
    for (;;) {
        cpu_pause();
    }
}

intptr_t syscall_dispatch(uintptr_t number,
                          const uintptr_t arguments[SYSCALL_ARGUMENTS])
{
    (void)number;
    (void)arguments;
    return 0;
}

int user_check(uintptr_t va, size_t bytes, bool write)
{
    (void)va;
    (void)bytes;
    (void)write;
    return E_OK;
}
