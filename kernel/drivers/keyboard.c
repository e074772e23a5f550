/* SPDX-License-Identifier: MIT */
/* The PS/2 keyboard, polled: scan codes of set 1 to the characters of a US layout. */
#include <arch/cpu.h>
#include <drivers.h>

/* The 8042 controller. */
#define KEYBOARD_DATA 0x60
#define KEYBOARD_STATUS 0x64
#define STATUS_FULL 0x01  /* a byte waits at the data port */
#define STATUS_MOUSE 0x20 /* and it is the mouse's */
#define STATUS_NONE 0xff  /* what a port without a controller reads as */

#define BYTES_A_POLL 16 /* so that a mad controller cannot hold the kernel */

/* The prefix of some keys, and the bit that marks a release. */
#define SCAN_EXTENDED 0xe0
#define SCAN_RELEASE 0x80

#define KEY_CONTROL 0x1d /* the right one has the prefix */
#define KEY_LEFT_SHIFT 0x2a
#define KEY_RIGHT_SHIFT 0x36
#define KEY_CAPS_LOCK 0x3a

/* Behind SCAN_EXTENDED. */
#define KEY_HOME 0x47
#define KEY_UP 0x48
#define KEY_LEFT 0x4b
#define KEY_RIGHT 0x4d
#define KEY_END 0x4f
#define KEY_DOWN 0x50
#define KEY_DELETE 0x53
#define KEY_PAD_SLASH 0x35
#define KEY_PAD_ENTER 0x1c

/* By scan code from 0; NUL where a key types nothing. */
static const char plain[] = "\0\033"
                            "1234567890-=\b\t"
                            "qwertyuiop[]\n\0"
                            "asdfghjkl;'`\0\\"
                            "zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\033"
                              "!@#$%^&*()_+\b\t"
                              "QWERTYUIOP{}\n\0"
                              "ASDFGHJKL:\"~\0|"
                              "ZXCVBNM<>?\0*\0 ";
_Static_assert(sizeof(plain) == 0x3a + 1, "the space bar is key 0x39");
_Static_assert(sizeof(shifted) == sizeof(plain), "the same keys");

static bool left_shift;
static bool right_shift;
static bool caps_lock;
static bool control;
static bool extended;
static const char *pending = ""; /* the rest of an escape sequence */

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static char key_character(uint8_t key)
{
    bool upper = left_shift || right_shift;

    if (key >= sizeof(plain)) {
        return '\0';
    }
    if (is_letter(plain[key]) && caps_lock) {
        upper = !upper;
    }
    if (control && is_letter(plain[key])) {
        return (char)(plain[key] & 0x1f);
    }
    return upper ? shifted[key] : plain[key];
}

/* What a key with the prefix types: escape sequences as terminals send them. */
static const char *extended_text(uint8_t key)
{
    switch (key) {
    case KEY_UP:
        return "\033[A";
    case KEY_DOWN:
        return "\033[B";
    case KEY_RIGHT:
        return "\033[C";
    case KEY_LEFT:
        return "\033[D";
    case KEY_HOME:
        return "\033[H";
    case KEY_END:
        return "\033[F";
    case KEY_DELETE:
        return "\033[3~";
    case KEY_PAD_SLASH:
        return "/";
    case KEY_PAD_ENTER:
        return "\n";
    default:
        return "";
    }
}

/* Follow the keys that only change a state; true if key is one of them. */
static bool is_modifier(uint8_t key, bool pressed)
{
    switch (key) {
    case KEY_CONTROL:
        control = pressed;
        return true;
    case KEY_LEFT_SHIFT:
        left_shift = pressed;
        return true;
    case KEY_RIGHT_SHIFT:
        right_shift = pressed;
        return true;
    case KEY_CAPS_LOCK:
        caps_lock = caps_lock != pressed;
        return true;
    default:
        return false;
    }
}

/* Take one byte from the keyboard; returns the character it types, or NUL. */
static char scan(uint8_t byte)
{
    bool pressed = (byte & SCAN_RELEASE) == 0;
    uint8_t key = byte & (uint8_t)~SCAN_RELEASE;
    bool with_prefix = extended;

    extended = byte == SCAN_EXTENDED;
    if (extended) {
        return '\0';
    }
    /* A Shift with the prefix is the keyboard's own invention, and nobody's key. */
    if (((!with_prefix || key == KEY_CONTROL) && is_modifier(key, pressed)) ||
        !pressed) {
        return '\0';
    }
    if (with_prefix) {
        pending = extended_text(key);
        return *pending != '\0' ? *pending++ : '\0';
    }
    return key_character(key);
}

int keyboard_poll(void)
{
    if (*pending != '\0') {
        return *pending++;
    }
    for (int i = 0; i < BYTES_A_POLL; i++) {
        uint8_t status = inb(KEYBOARD_STATUS);
        uint8_t byte;
        char c;

        if (status == STATUS_NONE || (status & STATUS_FULL) == 0) {
            return -1;
        }
        byte = inb(KEYBOARD_DATA);
        c = (status & STATUS_MOUSE) != 0 ? '\0' : scan(byte);
        if (c != '\0') {
            return (unsigned char)c;
        }
    }
    return -1;
}
