/* SPDX-License-Identifier: MIT */
/* The devices of the PC that the core drives. All functions: interrupts off. */
#ifndef DRIVERS_H
#define DRIVERS_H

#include <types.h>

/* 16550 UART at COM1, 115200 baud, 8N1. */
void serial_init(void);
void serial_putc(char c);
int serial_poll(void); /* a received byte, or -1 */

#define VGA_COLUMNS 80
#define VGA_ROWS 25

/* The text screen; putc scrolls. vga_put writes one cell, row and column from 0. */
void vga_init(void);
void vga_putc(char c);
void vga_put(unsigned row, unsigned column, char c, uint8_t attribute);

/* PS/2 keyboard, US layout: the next character typed, or -1. */
int keyboard_poll(void);

/* Two 8259A: IRQ 0-15 at vectors PIC_VECTOR_BASE and up, all masked at first. */
#define PIC_VECTOR_BASE 32
void pic_init(void);
void pic_mask(unsigned irq);
void pic_unmask(unsigned irq);
void pic_eoi(unsigned irq);

/* 8254 channel 0: IRQ 0, hz times a second, 19 <= hz <= 10000; E_INVAL otherwise. */
int pit_set_hz(unsigned hz);

#endif
