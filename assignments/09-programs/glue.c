/* SPDX-License-Identifier: MIT */
/* Where stage 09 hooks in: at the end of a thread, and in the chain of a fault. */
#include <arch/cpu.h>
#include <course/09-programs.h>
#include <fault.h>
#include <process.h>
#include <thread.h>

extern const struct process_hook table_process_start[], table_process_end[];

/* From the hook before this one back to the first. */
static void end_before(const struct process_hook *hook, struct process *process)
{
    while (hook > table_process_start) {
        hook--;
        hook->end(process);
    }
}

int process_started(struct process *process, const void *image, size_t bytes)
{
    for (const struct process_hook *h = table_process_start; h < table_process_end;
         h++) {
        const int error = h->start(process, image, bytes);

        if (error != E_OK) {
            end_before(h, process);
            return error;
        }
    }
    return E_OK;
}

void process_ended(struct process *process)
{
    end_before(table_process_end, process);
}

static void thread_end(struct thread *thread, intptr_t status)
{
    cpu_cli(); /* and so it stays: the thread does not come back */
    process_exit(thread, status);
}

EXIT_HOOK(800, thread_end);
FAULT_END(200, process_fault);
