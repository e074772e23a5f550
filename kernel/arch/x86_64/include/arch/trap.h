/* SPDX-License-Identifier: MIT */
/*
 * Interrupts and exceptions: vectors, gates, and what lies on the stack after one.
 * Source: SDM 3A "Exception and Interrupt Vectors" (6.3), "Exception and Interrupt
 * Handling in 64-bit Mode" (6.14).
 */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include <types.h>

#define VEC_DE 0 /* divide error */
#define VEC_DB 1 /* debug */
#define VEC_NMI 2
#define VEC_BP 3  /* breakpoint */
#define VEC_UD 6  /* invalid opcode */
#define VEC_DF 8  /* double fault */
#define VEC_TS 10 /* invalid TSS */
#define VEC_NP 11 /* segment not present */
#define VEC_SS 12 /* stack fault */
#define VEC_GP 13 /* general protection */
#define VEC_PF 14 /* page fault */
#define VEC_COUNT 256

/* The error code of a page fault. Source: SDM 3A "Interrupt 14" (6.15). */
#define PF_PRESENT 0x01 /* the page was there but forbidden; clear: absent */
#define PF_WRITE 0x02   /* clear: a read */
#define PF_USER 0x04    /* from ring 3 */
#define PF_RESERVED 0x08
#define PF_FETCH 0x10 /* an instruction fetch; only with NX */

/* Error codes that name a descriptor. Source: SDM 3A "Error Code" (6.13). */
#define ERROR_EXT 0x1 /* an external event caused it */
#define ERROR_IDT 0x2 /* the index is one of the IDT */
#define ERROR_LDT 0x4
#define ERROR_INDEX(code) ((code) >> 3)

/* The attribute byte of a gate. */
#define GATE_PRESENT 0x80
#define GATE_DPL(level) ((level) << 5)
#define GATE_INTERRUPT 0x0e /* clears IF */
#define GATE_TRAP 0x0f      /* leaves IF */

/*
 * Write one gate of the IDT. offset is the handler's address, selector a 64-bit code
 * segment, attributes as above. ist: 0, or the IST slot (1 to TSS_IST_SLOTS) whose
 * stack the CPU takes, whichever ring it comes from.
 * Source: SDM 3A "64-Bit Mode IDT" (6.14.1), "Interrupt Stack Table" (6.14.5).
 */
void idt_set_gate(unsigned vector, uintptr_t offset, uint16_t selector,
                  uint8_t attributes, uint8_t ist);

/*
 * The stack of a handler, from its pointer upwards. An entry stub pushes from vector
 * down to r15; the CPU pushed the rest after it had aligned the stack to 16: sp and ss
 * too, whichever ring it came from.
 */
struct trap_frame {
    uint64_t r15;
    uint64_t r14;
    uint64_t r13;
    uint64_t r12;
    uint64_t r11;
    uint64_t r10;
    uint64_t r9;
    uint64_t r8;
    uint64_t rdi;
    uint64_t rsi;
    uint64_t rbp;
    uint64_t rbx;
    uint64_t rdx;
    uint64_t rcx;
    uint64_t rax;
    uint64_t vector;
    uint64_t error; /* 0 for the vectors that have no error code */
    uint64_t ip;
    uint64_t cs;
    uint64_t flags;
    uint64_t sp;
    uint64_t ss;
} PACKED;
_Static_assert(sizeof(struct trap_frame) == 176, "trap frame");
_Static_assert(offsetof(struct trap_frame, vector) == 120, "trap frame, stub's part");

#endif
