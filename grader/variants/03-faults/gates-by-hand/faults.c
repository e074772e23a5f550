/* SPDX-License-Identifier: MIT */
/* Gates written word by word where the CPU looks for them. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <console.h>
#include <course/03-faults.h>
#include <fault.h>

#define WORDS (sizeof(uintptr_t) / sizeof(uint32_t) * 2) /* a gate: 8 bytes or 16 */

static void write_gate(unsigned vector, void (*entry)(void))
{
    const uint64_t offset = (uintptr_t)entry;
    struct table_ptr idt;
    uint32_t *gate;

    __asm__ volatile("sidt %0" : "=m"(idt));
    gate = (uint32_t *)idt.base + WORDS * vector;
    gate[0] = (uint32_t)SEL_KCODE << 16 | (offset & 0xffff);
    gate[1] = (offset & 0xffff0000) | 1u << 15 | 0xeu << 8;
    if (WORDS == 4) {
        gate[2] = offset >> 32;
        gate[3] = 0;
    }
}

void fault_init(void)
{
    write_gate(0, fault_entry_de);
    write_gate(6, fault_entry_ud);
    write_gate(13, fault_entry_gp);
    write_gate(14, fault_entry_pf);
}

static const char *hex(uintptr_t value, int digits)
{
    static char text[20];
    char *at = text;

    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
        const unsigned digit = value >> shift & 0xf;

        *at++ = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
    }
    *at = '\0';
    return text;
}

void fault_report(const struct trap_frame *f)
{
    const int word = 2 * sizeof(uintptr_t);
    const char *const tables[2][2] = {{"gdt", "ldt"}, {"idt", "idt"}};
    const char *const modes[2] = {"kernel", "user"};
    const char *const states[2] = {"absent", "present"};
    const unsigned e = f->error;

    kprintf("fault %s vector=%u", vector_name(f->vector), (unsigned)f->vector);
    kprintf(" error=0x%s", hex(f->error, 8));
    kprintf(" cs=0x%s", hex(f->cs & 0xffff, 4));
    kprintf(" rpl=%c", '0' + (char)(f->cs & 3));
    kprintf(" ip=0x%s", hex(f->ip, word));
    if (f->vector == VEC_GP && e != 0) {
        kprintf(" %s index=%u", tables[(e & 2) != 0][(e & 4) != 0], (e & 0xffff) >> 3);
    }
    if (f->vector == VEC_PF) {
        kprintf(" cr2=0x%s %s ", hex(read_cr2(), word), modes[e >> 2 & 1]);
        kprintf("%s %s", e & 16 ? "fetch" : e & 2 ? "write" : "read", states[e & 1]);
    }
    kprintf("\n");
}
