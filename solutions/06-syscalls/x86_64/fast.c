/* SPDX-License-Identifier: MIT */
/* Fast calls: the registers behind syscall, and the page that ring 3 calls. */
#include <arch/cpu.h>
#include <arch/msr.h>
#include <arch/segment.h>
#include <arch/tss.h>
#include <course/04-ring3.h>
#include <course/06-syscalls.h>
#include <memmap.h>
#include <memory.h>
#include <panic.h>
#include <string.h>
#include <task.h>

/* BEGIN SOLUTION 6.6: the code of the page, from fast_entry.asm */
extern const char fast_page[];
extern const char fast_page_end[];
extern const uint64_t *fast_kernel_stack;
/* END SOLUTION 6.6 */

void fast_init(void)
{
    /* BEGIN SOLUTION 6.6: fill and map the page, set the registers */
    const uintptr_t frame_pa = frame_alloc();

    if (frame_pa == 0 || user_map(FAST_CALL_VA, frame_pa, 0) != E_OK) {
        panic("no page for the fast calls");
    }
    memcpy((void *)frame_pa, fast_page, (size_t)(fast_page_end - fast_page));
    fast_kernel_stack =
        (const uint64_t *)((const char *)tss_at(SEL_TSS) + offsetof(struct tss, rsp0));
    write_msr(MSR_STAR, (uint64_t)(SEL_KDATA | 3) << 48 | (uint64_t)SEL_KCODE << 32);
    write_msr(MSR_LSTAR, (uintptr_t)fast_entry);
    write_msr(MSR_FMASK, EFLAGS_IF | EFLAGS_DF | EFLAGS_TF);
    write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SCE);
    /* END SOLUTION 6.6 */
}
