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
    kprintf("  error 0x%lx  cr2 0x%016lx  cr3 0x%016lx\n", frame->error, read_cr2(),
            read_cr3());
    kprintf("  cs 0x%04lx  rip 0x%016lx  rflags 0x%08lx\n", frame->cs & 0xffff,
            frame->ip, frame->flags);
    kprintf("  ss 0x%04lx  rsp 0x%016lx  (ring %lu)\n", frame->ss & 0xffff, frame->sp,
            SEL_RPL(frame->cs));
    kprintf("  rax 0x%016lx  rbx 0x%016lx  rcx 0x%016lx\n", frame->rax, frame->rbx,
            frame->rcx);
    kprintf("  rdx 0x%016lx  rsi 0x%016lx  rdi 0x%016lx\n", frame->rdx, frame->rsi,
            frame->rdi);
    kprintf("  rbp 0x%016lx  r8  0x%016lx  r9  0x%016lx\n", frame->rbp, frame->r8,
            frame->r9);
    kprintf("  r10 0x%016lx  r11 0x%016lx  r12 0x%016lx\n", frame->r10, frame->r11,
            frame->r12);
    kprintf("  r13 0x%016lx  r14 0x%016lx  r15 0x%016lx\n", frame->r13, frame->r14,
            frame->r15);
    if (SEL_RPL(frame->cs) == 0) {
        backtrace_print(frame->ip, frame->sp, frame->rbp);
    }
}
