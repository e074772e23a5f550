/* SPDX-License-Identifier: MIT */
/* The IDT, and the panic behind every vector that no stage has claimed. */
#include <arch/segment.h>
#include <arch/trap.h>
#include <console.h>
#include <kernel.h>
#include <string.h>

/* SDM 3A "IDT Descriptors" (6.11). */
struct gate_desc {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t zero;
    uint8_t attributes;
    uint16_t offset_high;
} PACKED;
_Static_assert(sizeof(struct gate_desc) == 8, "gate of the IDT");

/* Written by vectors.asm. */
struct unclaimed_state {
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx;
    uint32_t edx;
    uint32_t esi;
    uint32_t edi;
    uint32_t ebp;
    uint32_t esp;
    uint32_t vector;
};
_Static_assert(sizeof(struct unclaimed_state) == 36, "layout of vectors.asm");

extern const uint32_t unclaimed_entries[VEC_COUNT];
extern const struct unclaimed_state unclaimed_state;

static struct gate_desc idt[VEC_COUNT] __attribute__((aligned(16)));

void idt_set_gate(unsigned vector, uintptr_t offset, uint16_t selector,
                  uint8_t attributes, uint8_t ist)
{
    KASSERT(vector < VEC_COUNT);
    KASSERT(ist == 0);
    idt[vector] = (struct gate_desc){
        .offset_low = offset & 0xffff,
        .selector = selector,
        .attributes = attributes,
        .offset_high = offset >> 16,
    };
}

void idt_init(void)
{
    const struct table_ptr pointer = {.limit = sizeof(idt) - 1, .base = (uintptr_t)idt};

    for (unsigned vector = 0; vector < VEC_COUNT; vector++) {
        idt_set_gate(vector, unclaimed_entries[vector], SEL_KCODE,
                     GATE_PRESENT | GATE_DPL(0) | GATE_INTERRUPT, 0);
    }
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

/* Exceptions for which the CPU pushes an error code: 8, 10-14, 17, 21. */
static bool has_error_code(uint32_t vector)
{
    return vector < 32 && ((0x00227d00u >> vector) & 1);
}

NORETURN void unclaimed_panic(void);

void unclaimed_panic(void)
{
    const struct unclaimed_state *state = &unclaimed_state;
    const uint32_t *stack = (const uint32_t *)state->esp;
    struct trap_frame frame;

    memset(&frame, 0, sizeof(frame));
    frame.eax = state->eax;
    frame.ebx = state->ebx;
    frame.ecx = state->ecx;
    frame.edx = state->edx;
    frame.esi = state->esi;
    frame.edi = state->edi;
    frame.ebp = state->ebp;
    frame.vector = state->vector;
    if (has_error_code(state->vector)) {
        frame.error = *stack++;
    }
    frame.ip = stack[0];
    frame.cs = stack[1];
    frame.flags = stack[2];
    if (SEL_RPL(frame.cs) == 3) {
        frame.sp = stack[3];
        frame.ss = stack[4];
    }
    panic_trap(&frame, "nobody has claimed vector");
}
