/* SPDX-License-Identifier: MIT */
/*
 * Constants for NASM: this file is only compiled to assembly text, in which each line
 * "->NAME $value" becomes a definition in offsets.inc. (%c0 would take 32 bits only.)
 */
#include <arch/cpu.h>
#include <arch/msr.h>
#include <arch/paging.h>
#include <arch/segment.h>
#include <arch/trap.h>
#include <arch/tss.h>
#include <course/05-threads.h>
#include <course/06-syscalls.h>
#include <course/10-memory.h>
#include <memmap.h>
#include <memory.h>
#include <thread.h>

#define CONSTANT(name) __asm__ volatile(".ascii \"->" #name " %0\"" : : "i"(name))
#define OFFSET(name, type, field)                                                      \
    __asm__ volatile(".ascii \"->" #name " %0\"" : : "i"(offsetof(struct type, field)))

void offsets(void);

void offsets(void)
{
    CONSTANT(GDT_INDEX_KCODE);
    CONSTANT(GDT_INDEX_KDATA);
    CONSTANT(GDT_INDEX_UCODE);
    CONSTANT(GDT_INDEX_UDATA);
    CONSTANT(GDT_INDEX_TSS);
    CONSTANT(GDT_SLOTS);
    CONSTANT(TSS_DESC_SLOTS);
    CONSTANT(TSS_IST_SLOTS);
    CONSTANT(IST_DOUBLE_FAULT);
    CONSTANT(SEL_KCODE);
    CONSTANT(SEL_KDATA);
    CONSTANT(SEL_UCODE);
    CONSTANT(SEL_UDATA);
    CONSTANT(SEL_TSS);
    CONSTANT(EFLAGS_FIXED);
    CONSTANT(EFLAGS_IF);
    CONSTANT(EFLAGS_DF);
    CONSTANT(MSR_EFER);
    CONSTANT(MSR_FMASK);
    CONSTANT(EFER_LME);
    CONSTANT(EFER_NXE);
    CONSTANT(PAGE_BYTES);
    CONSTANT(PTE_PRESENT);
    CONSTANT(PTE_WRITE);
    CONSTANT(PTE_LARGE);
    CONSTANT(USER_BASE);
    CONSTANT(USER_END);
    CONSTANT(USER_STACKS_BASE);
    CONSTANT(USER_STACKS_BYTES);
    CONSTANT(USER_STACK_TOP);
    CONSTANT(USER_STACK_PAGES);
    CONSTANT(STACK_BYTES);
    CONSTANT(USER_PROGRAM_BASE);
    CONSTANT(USER_ARGS_VA);
    CONSTANT(FAST_CALL_VA);
    CONSTANT(IDENTITY_END);
    CONSTANT(KERNEL_BASE);
    CONSTANT(HEAP_BASE);
    CONSTANT(KFREE_BYTE);
    CONSTANT(KSTACK_BASE);
    CONSTANT(KSTACK_SLOTS);
    CONSTANT(KSTACK_PAGES);
    CONSTANT(FRAME_POOL_BASE);
    CONSTANT(VGA_TEXT_PA);
    CONSTANT(VEC_COUNT);
    CONSTANT(VEC_DE);
    CONSTANT(VEC_UD);
    CONSTANT(VEC_DF);
    CONSTANT(VEC_GP);
    CONSTANT(VEC_PF);
    CONSTANT(VEC_SYSCALL);
    CONSTANT(SYSCALL_ARGUMENTS);
    CONSTANT(SYS_WRITE);
    CONSTANT(SYS_READ);
    CONSTANT(SYS_YIELD);
    CONSTANT(SYS_EXIT);
    CONSTANT(SYS_THREAD_ID);
    CONSTANT(SYS_TIME);
    CONSTANT(SYS_SLEEP);
    CONSTANT(TICK_HZ);
    CONSTANT(E_FAULT);
    CONSTANT(E_NOSYS);
    OFFSET(GDT_PTR_LIMIT, table_ptr, limit);
    OFFSET(GDT_PTR_BASE, table_ptr, base);
    OFFSET(TRAP_VECTOR, trap_frame, vector);
    OFFSET(TRAP_ERROR, trap_frame, error);
    OFFSET(TRAP_IP, trap_frame, ip);
    OFFSET(TRAP_CS, trap_frame, cs);
    OFFSET(TRAP_FLAGS, trap_frame, flags);
    OFFSET(TRAP_SP, trap_frame, sp);
    OFFSET(THREAD_SP, thread, sp);
    OFFSET(THREAD_KERNEL_TOP, thread, kernel_top);
    OFFSET(TSS_RSP0, tss, rsp0);
    OFFSET(TSS_IST, tss, ist);
}
