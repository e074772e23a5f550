/* SPDX-License-Identifier: MIT */
/* Gates one by one, and a report without kprintf. */
#include <arch/cpu.h>
#include <arch/segment.h>
#include <console.h>
#include <course/03-faults.h>

static void gate(unsigned vector, void (*entry)(void))
{
    idt_set_gate(vector, (uintptr_t)entry, SEL_KCODE, 0x8e, 0);
}

void fault_init(void)
{
    gate(VEC_DE, fault_entry_de);
    gate(VEC_UD, fault_entry_ud);
    gate(VEC_GP, fault_entry_gp);
    gate(VEC_PF, fault_entry_pf);
}

struct page_error {
    unsigned present : 1;
    unsigned write : 1;
    unsigned user : 1;
    unsigned reserved : 1;
    unsigned fetch : 1;
};

union code {
    unsigned word;
    struct page_error page;
    struct {
        unsigned external : 1;
        unsigned idt : 1;
        unsigned ldt : 1;
        unsigned index : 13;
    } selector;
};

static void put(const char *text)
{
    while (*text) {
        console_putc(*text++);
    }
}

static void put_number(uintptr_t value, unsigned base, unsigned digits)
{
    if (digits > 1 || value >= base) {
        put_number(value / base, base, digits > 1 ? digits - 1 : 1);
    }
    console_putc("0123456789abcdef"[value % base]);
}

static void field(const char *name, uintptr_t value, unsigned digits)
{
    put(name);
    put("=");
    if (digits) {
        put("0x");
    }
    put_number(value, digits ? 16 : 10, digits);
}

static const char *short_name(uintptr_t vector)
{
    switch (vector) {
    case VEC_DE:
        return "#DE";
    case VEC_UD:
        return "#UD";
    case VEC_DF:
        return "#DF";
    case VEC_GP:
        return "#GP";
    default:
        return "#PF";
    }
}

void fault_report(const struct trap_frame *frame)
{
    const union code error = {.word = (unsigned)frame->error};

    put("fault ");
    put(short_name(frame->vector));
    field(" vector", frame->vector, 0);
    field(" error", error.word, 8);
    field(" cs", (uint16_t)frame->cs, 4);
    field(" rpl", SEL_RPL(frame->cs), 0);
    field(" ip", frame->ip, 2 * sizeof(uintptr_t));
    if (frame->vector == VEC_PF) {
        field(" cr2", read_cr2(), 2 * sizeof(uintptr_t));
        put(error.page.user ? " user " : " kernel ");
        put(error.page.fetch ? "fetch" : error.page.write ? "write" : "read");
        put(error.page.present ? " present" : " absent");
    }
    if (frame->vector == VEC_GP && error.word) {
        put(error.selector.idt ? " idt" : error.selector.ldt ? " ldt" : " gdt");
        field(" index", error.selector.index, 0);
    }
    put("\n");
}
