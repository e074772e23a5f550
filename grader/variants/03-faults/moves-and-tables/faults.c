/* SPDX-License-Identifier: MIT */
/* Gates from a table, and a report that is put together piece by piece. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <console.h>
#include <course/03-faults.h>
#include <fault.h>

static const struct {
    unsigned vector;
    void (*entry)(void);
} table[] = {
    {VEC_PF, fault_entry_pf},
    {VEC_GP, fault_entry_gp},
    {VEC_UD, fault_entry_ud},
    {VEC_DE, fault_entry_de},
};

void fault_init(void)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        idt_set_gate(table[i].vector, (uintptr_t)table[i].entry, SEL_KCODE,
                     GATE_PRESENT | GATE_INTERRUPT, 0);
    }
}

/* By bits 2 and 1 of the error code. */
static const char *const tables[] = {"gdt", "idt", "ldt", "idt"};

/* By bits 4, 2, 1 and 0, bit 3 being left out. */
static const char *const accesses[] = {
    "kernel read absent",   "kernel read present", "kernel write absent",
    "kernel write present", "user read absent",    "user read present",
    "user write absent",    "user write present",  "kernel fetch absent",
    "kernel fetch present", "kernel fetch absent", "kernel fetch present",
    "user fetch absent",    "user fetch present",  "user fetch absent",
    "user fetch present",
};

void fault_report(const struct trap_frame *frame)
{
    const int width = sizeof(uintptr_t) * 2;
    const unsigned e = (unsigned)frame->error;
    char line[160];
    int at;

    at = ksnprintf(line, sizeof(line), "fault %s vector=%d error=0x%08x",
                   vector_name((unsigned)frame->vector), (int)frame->vector, e);
    at += ksnprintf(line + at, sizeof(line) - at, " cs=0x%04x rpl=%d ip=0x%0*lx",
                    (unsigned)frame->cs & 0xffff, (int)(frame->cs & 3), width,
                    (unsigned long)frame->ip);
    if (frame->vector == 14) {
        at += ksnprintf(line + at, sizeof(line) - at, " cr2=0x%0*lx %s", width,
                        (unsigned long)read_cr2(), accesses[(e & 7) | (e >> 1 & 8)]);
    } else if (frame->vector == 13 && e) {
        at += ksnprintf(line + at, sizeof(line) - at, " %s index=%u",
                        tables[e >> 1 & 3], e / 8);
    }
    for (int i = 0; i < at; i++) {
        console_putc(line[i]);
    }
    console_putc('\n');
}
