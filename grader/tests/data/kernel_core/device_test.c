/* SPDX-License-Identifier: MIT */
/* Keyboard, serial line and screen, on ports that answer as the devices do. */
#include "host.h"

#include <arch/cpu.h>
#include <drivers.h>
#include <memmap.h>

static const uint8_t *keys; /* what the keyboard has still to say, up to a 0 */
static char sent[64];       /* what went out at COM1 */
static size_t sent_length;
static uint8_t scratch;
static bool no_uart;
static bool send_blocked;
static unsigned status_reads;
static const char *received = "";
static uint8_t crtc_index;
static uint8_t crtc[256];

void outb(uint16_t port, uint8_t value)
{
    switch (port) {
    case 0x3f8:
        CHECK(sent_length < sizeof(sent));
        sent[sent_length++] = (char)value;
        break;
    case 0x3ff:
        scratch = value;
        break;
    case 0x3d4:
        crtc_index = value;
        break;
    case 0x3d5:
        crtc[crtc_index] = value;
        break;
    }
}

uint8_t inb(uint16_t port)
{
    switch (port) {
    case 0x60:
        return *keys++;
    case 0x64:
        return keys == NULL ? 0xff : (*keys != 0);
    case 0x3f8:
        return (uint8_t)*received++;
    case 0x3fd:
        status_reads++;
        return (uint8_t)((send_blocked ? 0 : 0x20) | (*received != '\0'));
    case 0x3ff:
        return no_uart ? 0xff : scratch;
    }
    CHECK(!"a port that no driver should read");
    return 0;
}

static void type(const char *scan_codes, const char *expected)
{
    keys = (const uint8_t *)scan_codes;
    for (; *expected != '\0'; expected++) {
        CHECK(keyboard_poll() == *expected);
    }
    CHECK(keyboard_poll() == -1 && *keys == 0);
}

void test_keyboard(void)
{
    CHECK(keyboard_poll() == -1); /* no controller */
    type("\x1e\x9e\x30\xb0\x02\x39\x0e\x1c", "ab1 \b\n");
    type("\x2a\x1e\x9e\x02\xaa\x1e\x36\x28\xb6\x28", "A!a\"'");
    type("\x3a\xba\x1e\x02\x2a\x1e\x02\xaa\x3a\xba\x1e", "A1a!a");
    type("\xe0\x48\xe0\xc8\xe0\x50\xe0\x4d\xe0\x4b", "\033[A\033[B\033[C\033[D");
    type("\xe0\x2a\xe0\x48\xe0\xaa\x1e", "\033[Aa"); /* a shift nobody pressed */
    type("\xe1\x1d\x45\xe1\x9d\xc5\x1e", "a");       /* Pause */
    type("\x1d\x38\x3b\x58\x7f\xe0\x1c\xe0\x35\x2b", "\n/\\"); /* keys without a text */
}

void test_serial(void)
{
    no_uart = true;
    serial_init();
    serial_putc('x');
    CHECK(sent_length == 0 && serial_poll() == -1);

    no_uart = false;
    serial_init();
    sent_length = 0; /* the divisor went to the same port */
    serial_putc('a');
    serial_putc('\n');
    CHECK(sent_length == 3 && memcmp(sent, "a\r\n", 3) == 0);
    received = "\xff"
               "b";
    CHECK(serial_poll() == 0xff && serial_poll() == 'b' && serial_poll() == -1);

    send_blocked = true;
    serial_putc('x');
    status_reads = 0;
    serial_putc('y'); /* has learnt not to wait */
    CHECK(status_reads == 1 && sent_length == 3);
    send_blocked = false;
    serial_putc('z');
    CHECK(sent_length == 4 && sent[3] == 'z');
}

static bool row_is(unsigned row, const char *expected)
{
    const uint16_t *cell = (const uint16_t *)VGA_TEXT_PA + row * VGA_COLUMNS;
    size_t length = strlen(expected);

    for (unsigned i = 0; i < VGA_COLUMNS; i++) {
        uint8_t c = i < length ? (uint8_t)expected[i] : ' ';

        if (cell[i] != (0x0700 | c)) {
            return false;
        }
    }
    return true;
}

static void write_text(const char *text)
{
    for (; *text != '\0'; text++) {
        vga_putc(*text);
    }
}

static unsigned cursor(void)
{
    return crtc[0x0e] * 256u + crtc[0x0f];
}

void test_vga(void)
{
    uint16_t *cells = map_fixed(VGA_TEXT_PA, 4096);
    size_t behind = VGA_COLUMNS * VGA_ROWS;

    cells[behind] = 0x1234;
    vga_init();
    CHECK(row_is(0, "") && row_is(24, "") && cursor() == 0);
    write_text("ab\bc\txy\rA\n12");
    CHECK(row_is(0, "Ac      xy") && row_is(1, "12") && cursor() == 82);
    vga_put(24, 79, '\xdb', 0x1f);
    vga_put(25, 0, 'x', 7);
    vga_put(0, 80, 'x', 7);
    CHECK(cells[behind - 1] == 0x1fdb && row_is(1, "12"));
    for (unsigned i = 0; i < 23; i++) {
        write_text("\n");
    }
    CHECK(row_is(0, "Ac      xy") && cursor() == 24 * 80);
    for (unsigned i = 0; i < 80; i++) {
        vga_putc('w'); /* fills the last row, and scrolls at its end */
    }
    CHECK(row_is(0, "12") && row_is(24, "") && cursor() == 24 * 80);
    write_text("\t\t\t\t\t\t\t\t\t\t!");
    CHECK(row_is(24, "!") && cells[behind] == 0x1234);
}
