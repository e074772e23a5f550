/* SPDX-License-Identifier: MIT */
/* The IDT, and the panic behind every vector that no stage has claimed. */
#include <arch/segment.h>
#include <arch/trap.h>
#include <arch/tss.h>
#include <console.h>
#include <kernel.h>
#include <string.h>

/* SDM 3A "64-Bit Mode IDT" (6.14.1). */
struct gate_desc {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist; /* bits 2..0: 0, or the IST slot whose stack the handler gets */
    uint8_t attributes;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t zero;
} PACKED;
_Static_assert(sizeof(struct gate_desc) == 16, "gate of the IDT");

/* Written by vectors.asm. */
struct unclaimed_state {
    uint64_t rax;
    uint64_t rbx;
    uint64_t rcx;
    uint64_t rdx;
    uint64_t rsi;
    uint64_t rdi;
    uint64_t rbp;
    uint64_t rsp;
    uint64_t r8;
    uint64_t r9;
    uint64_t r10;
    uint64_t r11;
    uint64_t r12;
    uint64_t r13;
    uint64_t r14;
    uint64_t r15;
    uint64_t vector;
};
_Static_assert(sizeof(struct unclaimed_state) == 136, "layout of vectors.asm");

extern const uintptr_t unclaimed_entries[VEC_COUNT];
extern const struct unclaimed_state unclaimed_state;

static struct gate_desc idt[VEC_COUNT] __attribute__((aligned(16)));

void idt_set_gate(unsigned vector, uintptr_t offset, uint16_t selector,
                  uint8_t attributes, uint8_t ist)
{
    KASSERT(vector < VEC_COUNT);
    KASSERT(ist <= TSS_IST_SLOTS);
    idt[vector] = (struct gate_desc){
        .offset_low = offset & 0xffff,
        .selector = selector,
        .ist = ist,
        .attributes = attributes,
        .offset_middle = offset >> 16 & 0xffff,
        .offset_high = offset >> 32,
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
static bool has_error_code(uint64_t vector)
{
    return vector < 32 && ((0x00227d00u >> vector) & 1);
}

NORETURN void unclaimed_panic(void);

void unclaimed_panic(void)
{
    const struct unclaimed_state *state = &unclaimed_state;
    const uint64_t *stack = (const uint64_t *)state->rsp;
    struct trap_frame frame;

    memset(&frame, 0, sizeof(frame));
    frame.rax = state->rax;
    frame.rbx = state->rbx;
    frame.rcx = state->rcx;
    frame.rdx = state->rdx;
    frame.rsi = state->rsi;
    frame.rdi = state->rdi;
    frame.rbp = state->rbp;
    frame.r8 = state->r8;
    frame.r9 = state->r9;
    frame.r10 = state->r10;
    frame.r11 = state->r11;
    frame.r12 = state->r12;
    frame.r13 = state->r13;
    frame.r14 = state->r14;
    frame.r15 = state->r15;
    frame.vector = state->vector;
    if (has_error_code(state->vector)) {
        frame.error = *stack++;
    }
    frame.ip = stack[0];
    frame.cs = stack[1];
    frame.flags = stack[2];
    frame.sp = stack[3];
    frame.ss = stack[4];
    panic_trap(&frame, "nobody has claimed vector");
}
