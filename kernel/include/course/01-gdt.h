/* SPDX-License-Identifier: MIT */
/*
 * Contract of stage 01-gdt: descriptors for ring 3.
 * Source: SDM 3A "Segment Descriptors" (3.4.5), "Global Descriptor Table Register"
 * (2.4.1).
 */
#ifndef COURSE_01_GDT_H
#define COURSE_01_GDT_H

#include <arch/segment.h>

/*
 * Task 1.1. The eight bytes of a descriptor, as the CPU reads them.
 * base: linear address, 32 bits. limit: the 20-bit limit field as it stands in the
 * descriptor (bits above are ignored). access: P, DPL, S and type, as DESC_* in
 * arch/segment.h. flags: the four bits G, D/B, L, AVL, as DESC_* there; bits above are
 * ignored. Context: any.
 */
uint64_t gdt_encode(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags);

/*
 * Task 1.2. Write one slot of the array gdt, and nothing else.
 * Returns E_OK, or E_INVAL for slot 0 and for slots from GDT_SLOTS on (then nothing
 * changes). Context: interrupts off.
 */
int gdt_set(unsigned index, uint64_t descriptor);

/*
 * Task 1.3. Fill the slots GDT_INDEX_UCODE and GDT_INDEX_UDATA: present, ring 3, flat,
 * code readable, data writable (i386: 32-bit code and data; x86_64: 64-bit code, for
 * which L is set and D/B clear). Does not reload the GDTR. Context: interrupts off.
 */
void gdt_init_user(void);

/*
 * Task 1.4, in NASM. Make the CPU see the first slots of the array gdt: GDTR gets the
 * base that gdt_ptr holds and the limit for that many slots, which is written to
 * gdt_ptr as well. slots: 1 to GDT_SLOTS. Preserves what the C calling convention asks
 * for, and reloads no segment register. Context: interrupts off.
 */
void gdt_reload(unsigned slots);

#endif
