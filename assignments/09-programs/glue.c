/* SPDX-License-Identifier: MIT */
/* Where stage 09 hooks in: at the end of a thread, and in the chain of a fault. */
#include <course/09-programs.h>
#include <fault.h>
#include <process.h>
#include <thread.h>

EXIT_HOOK(800, process_exit);
FAULT_END(200, process_fault);

extern const struct start_hook table_start_start[], table_start_end[];

int process_started(struct process *process, const void *image, size_t bytes)
{
    for (const struct start_hook *h = table_start_start; h < table_start_end; h++) {
        const int error = h->fn(process, image, bytes);

        if (error != E_OK) {
            return error;
        }
    }
    return E_OK;
}
