/* SPDX-License-Identifier: MIT */
/*
 * Interrupts and exceptions: vectors, gates, and what lies on the stack after one.
 * Source: SDM 3A "Exception and Interrupt Vectors" (6.3), "IDT Descriptors" (6.11),
 * "Exception- or Interrupt-Handler Procedures" (6.12.1).
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
#define GATE_TASK 0x05
#define GATE_INTERRUPT 0x0e /* clears IF */
#define GATE_TRAP 0x0f      /* leaves IF */

/*
 * Write one gate of the IDT. offset is the handler's address (task gates: 0), selector
 * a code segment (task gates: a TSS), attributes as above; ist must be 0 in 32-bit
 * mode. Source: SDM 3A "IDT Descriptors" (6.11).
 */
void idt_set_gate(unsigned vector, uintptr_t offset, uint16_t selector,
                  uint8_t attributes, uint8_t ist);

/*
 * The stack of a handler, from its pointer upwards. An entry stub pushes from vector
 * down to gs; the CPU pushed the rest, sp and ss only if it came from another ring.
 */
struct trap_frame {
    uint32_t gs;
    uint32_t fs;
    uint32_t es;
    uint32_t ds;
    uint32_t edi; /* from here to eax as pusha leaves them */
    uint32_t esi;
    uint32_t ebp;
    uint32_t pusha_esp; /* worthless: the stub's own */
    uint32_t ebx;
    uint32_t edx;
    uint32_t ecx;
    uint32_t eax;
    uint32_t vector;
    uint32_t error; /* 0 for the vectors that have no error code */
    uint32_t ip;
    uint32_t cs;
    uint32_t flags;
    uint32_t sp; /* from here on only valid if cs has RPL 3 */
    uint32_t ss;
} PACKED;
_Static_assert(sizeof(struct trap_frame) == 76, "trap frame");
_Static_assert(offsetof(struct trap_frame, vector) == 48, "trap frame, stub's part");

#endif
