/* SPDX-License-Identifier: MIT */
/* How a trap frame looks to a person. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <arch/trap.h>
#include <backtrace.h>
#include <console.h>
#include <kernel.h>

void trap_print(const struct trap_frame *frame)
{
    kprintf("  error 0x%x  cr2 0x%08lx  cr3 0x%08lx\n", frame->error,
            (unsigned long)read_cr2(), (unsigned long)read_cr3());
    kprintf("  cs 0x%04x  eip 0x%08x  eflags 0x%08x\n", frame->cs & 0xffff, frame->ip,
            frame->flags);
    if (SEL_RPL(frame->cs) == 3) {
        kprintf("  ss 0x%04x  esp 0x%08x  (ring 3)\n", frame->ss & 0xffff, frame->sp);
    }
    kprintf("  eax 0x%08x  ebx 0x%08x  ecx 0x%08x  edx 0x%08x\n", frame->eax,
            frame->ebx, frame->ecx, frame->edx);
    kprintf("  esi 0x%08x  edi 0x%08x  ebp 0x%08x\n", frame->esi, frame->edi,
            frame->ebp);
    if (SEL_RPL(frame->cs) == 0) {
        /* Without a change of rings the CPU pushed no stack pointer. */
        backtrace_print(frame->ip, (uintptr_t)&frame->sp, frame->ebp);
    }
}
