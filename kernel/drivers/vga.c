/* SPDX-License-Identifier: MIT */
/*
 * The VGA text screen. A cell is 16 bits: the character, and above it the attribute
 * (bits 3..0 foreground, 6..4 background, 7 blink).
 */
#include <arch/cpu.h>
#include <drivers.h>
#include <memmap.h>
#include <string.h>

#define CELLS (VGA_COLUMNS * VGA_ROWS)
#define GREY_ON_BLACK 0x07
#define TAB_COLUMNS 8

/* The CRT controller: an index to one port, then the value to the next. */
#define CRTC_INDEX 0x3d4
#define CRTC_VALUE 0x3d5
#define CRTC_CURSOR_START 0x0a /* first scan line; bit 5 would hide the cursor */
#define CRTC_CURSOR_END 0x0b
#define CRTC_CURSOR_HIGH 0x0e
#define CRTC_CURSOR_LOW 0x0f

#define CURSOR_FIRST_LINE 14
#define CURSOR_LAST_LINE 15

static unsigned position; /* of the next character, as a cell; always below CELLS */

static volatile uint16_t *cell_at(unsigned index)
{
    return (volatile uint16_t *)VGA_TEXT_PA + index;
}

static uint16_t make_cell(char c, uint8_t attribute)
{
    return (uint16_t)((unsigned)attribute << 8 | (unsigned char)c);
}

static void crtc_write(uint8_t index, uint8_t value)
{
    outb(CRTC_INDEX, index);
    outb(CRTC_VALUE, value);
}

static void move_cursor(unsigned index)
{
    crtc_write(CRTC_CURSOR_HIGH, (uint8_t)(index >> 8));
    crtc_write(CRTC_CURSOR_LOW, (uint8_t)index);
}

static void clear_from(unsigned index)
{
    for (; index < CELLS; index++) {
        *cell_at(index) = make_cell(' ', GREY_ON_BLACK);
    }
}

static void scroll(void)
{
    char *screen = (char *)VGA_TEXT_PA;
    size_t row_bytes = VGA_COLUMNS * sizeof(uint16_t);

    memmove(screen, screen + row_bytes, (VGA_ROWS - 1) * row_bytes);
    clear_from(CELLS - VGA_COLUMNS);
}

void vga_init(void)
{
    clear_from(0);
    crtc_write(CRTC_CURSOR_START, CURSOR_FIRST_LINE);
    crtc_write(CRTC_CURSOR_END, CURSOR_LAST_LINE);
    position = 0;
    move_cursor(0);
}

/* Where the next character goes after c; CELLS or more means beyond the screen. */
static unsigned position_after(unsigned index, char c)
{
    unsigned column = index % VGA_COLUMNS;

    switch (c) {
    case '\n':
        return index - column + VGA_COLUMNS;
    case '\r':
        return index - column;
    case '\b':
        return column > 0 ? index - 1 : index;
    case '\t':
        return index - column % TAB_COLUMNS + TAB_COLUMNS;
    default:
        *cell_at(index) = make_cell(c, GREY_ON_BLACK);
        return index + 1;
    }
}

void vga_putc(char c)
{
    unsigned next = position_after(position, c);

    if (next >= CELLS) {
        scroll();
        next -= VGA_COLUMNS;
    }
    position = next;
    move_cursor(next);
}

void vga_put(unsigned row, unsigned column, char c, uint8_t attribute)
{
    if (row >= VGA_ROWS || column >= VGA_COLUMNS) {
        return;
    }
    *cell_at(row * VGA_COLUMNS + column) = make_cell(c, attribute);
}
