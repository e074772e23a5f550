/* SPDX-License-Identifier: MIT */
/* Both entries, and the page of the fast calls. */
#include <arch/cpu.h>
#include <arch/msr.h>
#include <arch/segment.h>
#include <arch/tss.h>
#include <course/04-ring3.h>
#include <course/06-syscalls.h>
#include <memmap.h>
#include <memory.h>
#include <panic.h>

static const uint8_t code[] = {0x0f, 0x05, 0xc3}; /* syscall; ret */

/* Where rsp0 of the running thread stands, and a word to get there. */
__attribute__((used)) static uintptr_t rsp0_at, scratch;

#define ENTER                                                                          \
    "pushq %rcx\n\t"                                                                   \
    "pushq %r11\n\t"                                                                   \
    "pushq %r9\n\t"                                                                    \
    "pushq %r8\n\t"                                                                    \
    "pushq %r10\n\t"                                                                   \
    "pushq %rdx\n\t"                                                                   \
    "pushq %rsi\n\t"                                                                   \
    "pushq %rdi\n\t"                                                                   \
    "pushq %rbp\n\t"                                                                   \
    "cld\n\t"                                                                          \
    "movq %rax, %rdi\n\t"                                                              \
    "leaq 8(%rsp), %rsi\n\t"                                                           \
    "movq %rsp, %rbp\n\t"                                                              \
    "andq $-16, %rsp\n\t"                                                              \
    "call syscall_dispatch\n\t"                                                        \
    "movq %rbp, %rsp\n\t"                                                              \
    "popq %rbp\n\t"                                                                    \
    "popq %rdi\n\t"                                                                    \
    "popq %rsi\n\t"                                                                    \
    "popq %rdx\n\t"                                                                    \
    "popq %r10\n\t"                                                                    \
    "popq %r8\n\t"                                                                     \
    "popq %r9\n\t"                                                                     \
    "popq %r11\n\t"                                                                    \
    "popq %rcx\n\t"

__attribute__((naked)) void syscall_entry(void)
{
    __asm__(ENTER "iretq");
}

__attribute__((naked)) void fast_entry(void)
{
    __asm__("movq %rsp, scratch(%rip)\n\t"
            "movq rsp0_at(%rip), %rsp\n\t"
            "movq (%rsp), %rsp\n\t"
            "pushq scratch(%rip)\n\t" ENTER "movq (%rsp), %rsp\n\t"
            "sysretq");
}

void fast_init(void)
{
    const uintptr_t frame_pa = frame_alloc();

    if (!frame_pa || user_map(FAST_CALL_VA, frame_pa, 0) != E_OK) {
        panic("no page");
    }
    for (unsigned i = 0; i < sizeof(code); i++) {
        ((uint8_t *)frame_pa)[i] = code[i];
    }
    rsp0_at = (uintptr_t)tss_at(SEL_TSS) + offsetof(struct tss, rsp0);
    write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SCE);
    write_msr(MSR_FMASK, 0x47700); /* AC, NT, DF, IF, TF */
    write_msr(MSR_LSTAR, (uintptr_t)fast_entry);
    write_msr(MSR_STAR, 0x0013000800000000);
}
