/* SPDX-License-Identifier: MIT */
/* Fast calls: the three registers behind sysenter, and the page that ring 3 calls. */
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
/* END SOLUTION 6.6 */

void fast_init(void)
{
    /* BEGIN SOLUTION 6.6: fill and map the page, set the three registers */
    const uintptr_t frame_pa = frame_alloc();

    if (frame_pa == 0 || user_map(FAST_CALL_VA, frame_pa, 0) != E_OK) {
        panic("no page for the fast calls");
    }
    memcpy((void *)frame_pa, fast_page, (size_t)(fast_page_end - fast_page));
    write_msr(MSR_SYSENTER_CS, SEL_KCODE);
    /* esp points to esp0 in the TSS; fast_entry takes the stack from there. */
    write_msr(MSR_SYSENTER_ESP, (uintptr_t)&tss_at(SEL_TSS)->esp0);
    write_msr(MSR_SYSENTER_EIP, (uintptr_t)fast_entry);
    /* END SOLUTION 6.6 */
}
