/* SPDX-License-Identifier: MIT */
/*
 * The two 8259A interrupt controllers. The second one hangs on input 2 of the first.
 * Source: Intel 8259A data sheet, "Initialization Command Words", "Operation Command
 * Words".
 */
#include <arch/cpu.h>
#include <drivers.h>
#include <panic.h>

#define PIC1_COMMAND 0x20
#define PIC1_DATA 0x21
#define PIC2_COMMAND 0xa0
#define PIC2_DATA 0xa1

#define ICW1_INIT_WITH_ICW4 0x11
#define ICW3_PIC1 (1u << CASCADE_IRQ) /* a bit mask of inputs */
#define ICW3_PIC2 CASCADE_IRQ         /* a number */
#define ICW4_8086 0x01
#define OCW2_EOI 0x20 /* for the interrupt with the highest priority in service */

#define CASCADE_IRQ 2
#define IRQS_A_PIC 8
#define IRQ_COUNT 16
#define ALL_MASKED 0xffff

static uint16_t masked = ALL_MASKED; /* bit n: IRQ n is held back */

static void write_slowly(uint16_t port, uint8_t value)
{
    outb(port, value);
    io_wait();
}

static void write_masks(void)
{
    outb(PIC1_DATA, (uint8_t)masked);
    outb(PIC2_DATA, (uint8_t)(masked >> IRQS_A_PIC));
}

void pic_init(void)
{
    write_slowly(PIC1_COMMAND, ICW1_INIT_WITH_ICW4);
    write_slowly(PIC2_COMMAND, ICW1_INIT_WITH_ICW4);
    write_slowly(PIC1_DATA, PIC_VECTOR_BASE);
    write_slowly(PIC2_DATA, PIC_VECTOR_BASE + IRQS_A_PIC);
    write_slowly(PIC1_DATA, ICW3_PIC1);
    write_slowly(PIC2_DATA, ICW3_PIC2);
    write_slowly(PIC1_DATA, ICW4_8086);
    write_slowly(PIC2_DATA, ICW4_8086);
    masked = ALL_MASKED;
    write_masks();
}

void pic_mask(unsigned irq)
{
    KASSERT(irq < IRQ_COUNT);
    masked |= (uint16_t)(1u << irq);
    write_masks();
}

void pic_unmask(unsigned irq)
{
    KASSERT(irq < IRQ_COUNT);
    masked &= (uint16_t) ~(1u << irq);
    if (irq >= IRQS_A_PIC) {
        masked &= (uint16_t) ~(1u << CASCADE_IRQ);
    }
    write_masks();
}

void pic_eoi(unsigned irq)
{
    KASSERT(irq < IRQ_COUNT);
    if (irq >= IRQS_A_PIC) {
        outb(PIC2_COMMAND, OCW2_EOI);
    }
    outb(PIC1_COMMAND, OCW2_EOI);
}
