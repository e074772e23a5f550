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

/* push ebp; mov ebp, esp; sysenter; pop ebp; ret */
static const uint8_t code[] = {0x55, 0x89, 0xe5, 0x0f, 0x34, 0x5d, 0xc3};
#define RETURN_OFFSET 5

_Static_assert(SEL_KDATA == 0x10, "as in the assembly below");
_Static_assert(FAST_CALL_VA + RETURN_OFFSET == 0x400fe005, "as in the assembly below");

/* The thread's esp0, and esp of ring 3 for user_check. */
__attribute__((used)) static const uint32_t *esp0;

__attribute__((used)) static intptr_t fast_serve(uintptr_t number,
                                                 const uintptr_t *arguments)
{
    /* Behind the five arguments lies ebp. */
    if (user_check(arguments[SYSCALL_ARGUMENTS], 2 * sizeof(uintptr_t), false)) {
        return E_FAULT;
    }
    return syscall_dispatch(number, arguments);
}

#define ENTER                                                                          \
    "pushl %ebp\n\t"                                                                   \
    "pushl %edi\n\t"                                                                   \
    "pushl %esi\n\t"                                                                   \
    "pushl %edx\n\t"                                                                   \
    "pushl %ecx\n\t"                                                                   \
    "pushl %ebx\n\t"                                                                   \
    "movl %esp, %ebx\n\t"                                                              \
    "pushl %ds\n\t"                                                                    \
    "pushl %es\n\t"                                                                    \
    "pushl %fs\n\t"                                                                    \
    "pushl %gs\n\t"                                                                    \
    "movl $0x10, %ecx\n\t"                                                             \
    "movl %ecx, %ds\n\t"                                                               \
    "movl %ecx, %es\n\t"                                                               \
    "movl %ecx, %fs\n\t"                                                               \
    "movl %ecx, %gs\n\t"                                                               \
    "cld\n\t"                                                                          \
    "pushl %ebx\n\t"                                                                   \
    "pushl %eax\n\t"
#define LEAVE                                                                          \
    "addl $8, %esp\n\t"                                                                \
    "popl %gs\n\t"                                                                     \
    "popl %fs\n\t"                                                                     \
    "popl %es\n\t"                                                                     \
    "popl %ds\n\t"                                                                     \
    "popl %ebx\n\t"                                                                    \
    "popl %ecx\n\t"                                                                    \
    "popl %edx\n\t"                                                                    \
    "popl %esi\n\t"                                                                    \
    "popl %edi\n\t"                                                                    \
    "popl %ebp\n\t"

__attribute__((naked)) void syscall_entry(void)
{
    __asm__(ENTER "call syscall_dispatch\n\t" LEAVE "iretl");
}

__attribute__((naked)) void fast_entry(void)
{
    __asm__("movl %ss:esp0, %esp\n\t"
            "movl %ss:(%esp), %esp\n\t" ENTER "call fast_serve\n\t" LEAVE
            "movl %ebp, %ecx\n\t"
            "movl $0x400fe005, %edx\n\t"
            "sti\n\t"
            "sysexit");
}

void fast_init(void)
{
    static uint8_t never_used[64];
    const uintptr_t frame_pa = frame_alloc();

    if (!frame_pa || user_map(FAST_CALL_VA, frame_pa, 0) != E_OK) {
        panic("no page");
    }
    for (unsigned i = 0; i < sizeof(code); i++) {
        ((uint8_t *)frame_pa)[i] = code[i];
    }
    esp0 = &tss_at(SEL_TSS)->esp0;
    write_msr(MSR_SYSENTER_EIP, (uintptr_t)fast_entry);
    write_msr(MSR_SYSENTER_ESP, (uintptr_t)(never_used + sizeof(never_used)));
    write_msr(MSR_SYSENTER_CS, SEL_KCODE);
}
