/* SPDX-License-Identifier: MIT */
/* kprintf and the string functions against the host's libc. */
#include "host.h"

#include <console.h>
#include <limits.h>

#define FORMATS 60000
#define ROUNDS 20000

void *k_memcpy(void *to, const void *from, size_t bytes);
void *k_memmove(void *to, const void *from, size_t bytes);
void *k_memset(void *to, int value, size_t bytes);
int k_memcmp(const void *a, const void *b, size_t bytes);
size_t k_strlen(const char *s);
int k_strcmp(const char *a, const char *b);
int k_strncmp(const char *a, const char *b, size_t bytes);
char *k_strchr(const char *s, int c);
size_t k_strlcpy(char *to, const char *from, size_t size);

/* Format with both, into a buffer that may be too small, and compare everything. */
#define COMPARE(format, ...)                                                           \
    do {                                                                               \
        char ours[128], theirs[128];                                                   \
        size_t size = below(2) ? sizeof(ours) : below(sizeof(ours));                   \
        memset(ours, '#', sizeof(ours));                                               \
        memset(theirs, '#', sizeof(theirs));                                           \
        int our_length = ksnprintf(ours, size, format, __VA_ARGS__);                   \
        int their_length = snprintf(theirs, size, format, __VA_ARGS__);                \
        if (our_length != their_length || memcmp(ours, theirs, sizeof(ours)) != 0) {   \
            fprintf(stderr,                                                            \
                    "\"%s\" in %zu bytes: \"%.128s\" %d, libc \"%.128s\" %d\n",        \
                    format, size, ours, our_length, theirs, their_length);             \
            exit(1);                                                                   \
        }                                                                              \
    } while (0)

static uint64_t random_number(void)
{
    static const uint64_t edges[] = {
        0,          1,
        9,          10,
        INT_MAX,    (uint64_t)INT_MIN,
        UINT_MAX,   INT64_MAX,
        1ull << 63, UINT64_MAX,
        0x80,       0xff,
        0x8000,     10000000000000000000ull,
    };

    if (below(3) == 0) {
        return edges[below(sizeof(edges) / sizeof(edges[0]))];
    }
    return random64() >> below(64);
}

/* "<%", flags, width and precision, size and conversion letter, ">". */
static void make_format(char *format, bool zero_flag, bool precision, const char *size,
                        char conversion)
{
    char *p = format;

    p += sprintf(p, "<%%");
    for (unsigned i = below(3); i > 0; i--) {
        *p++ = zero_flag && below(2) ? '0' : '-';
    }
    if (below(2)) {
        p += sprintf(p, "%u", 1 + below(30));
    }
    if (precision && below(2)) {
        p += below(8) ? sprintf(p, ".%u", below(25)) : sprintf(p, ".");
    }
    sprintf(p, "%s%c>", size, conversion);
}

static void compare_number(void)
{
    static const char *const sizes[] = {"hh", "h", "", "l", "ll", "z"};
    unsigned size = below(6);
    uint64_t number = random_number();
    char format[64];

    make_format(format, true, true, sizes[size], "diuxX"[below(5)]);
    switch (size) {
    case 3:
        COMPARE(format, (unsigned long)number);
        break;
    case 4:
        COMPARE(format, (unsigned long long)number);
        break;
    case 5:
        COMPARE(format, (size_t)number);
        break;
    default:
        COMPARE(format, (unsigned)number);
    }
}

static void compare_text(void)
{
    char text[40];
    char format[64];
    unsigned length = below(sizeof(text));
    int c = (int)(1 + below(255));
    void *pointer = (void *)(uintptr_t)(random64() | 1);
    int number = (int)random_number();
    int width = (int)below(40) - 20;
    int precision = (int)below(9) - 2;

    for (unsigned i = 0; i < length; i++) {
        text[i] = (char)(1 + below(255));
    }
    text[length] = '\0';
    make_format(format, false, true, "", 's');
    COMPARE(format, text);
    make_format(format, false, false, "", 'c');
    COMPARE(format, c);
    make_format(format, false, false, "", 'p');
    COMPARE(format, pointer);
    COMPARE("%*d|%-*x|%.*s|", width, number, width, (unsigned)number, precision, text);
}

static void test_own_rules(void)
{
    static const char unended[3] = {'a', 'b', 'c'};
    char buffer[64];
    const char *bad = "%q %5";

    CHECK(ksnprintf(buffer, sizeof(buffer), bad, 1) == 5);
    CHECK(strcmp(buffer, "%q %5") == 0);
    CHECK(ksnprintf(buffer, sizeof(buffer), "100%%") == 4 &&
          strcmp(buffer, "100%") == 0);
    CHECK(ksnprintf(buffer, sizeof(buffer), "%p", NULL) == 3);
    CHECK(strcmp(buffer, "0x0") == 0);
    CHECK(ksnprintf(buffer, sizeof(buffer), "%.3s", unended) == 3);
    bad = NULL;
    CHECK(ksnprintf(buffer, sizeof(buffer), "%s", bad) == 6);
    CHECK(strcmp(buffer, "(null)") == 0);
    CHECK(ksnprintf(NULL, 0, "%d", 12345) == 5);
    CHECK(kprintf("%c%d\n", 'x', -7) == 4);
    CHECK(console_length == 4 && memcmp(console_text, "x-7\n", 4) == 0);
}

void test_printf(void)
{
    test_own_rules();
    for (unsigned i = 0; i < FORMATS; i++) {
        compare_number();
        if (i % 4 == 0) {
            compare_text();
        }
    }
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void compare_memory(void)
{
    unsigned char ours[96], theirs[96];
    unsigned to = below(48), from = below(48), bytes = below(48);

    for (unsigned i = 0; i < sizeof(ours); i++) {
        ours[i] = theirs[i] = (unsigned char)below(256);
    }
    if (below(2)) {
        to &= ~7u;
        from &= ~7u;
    }
    CHECK(k_memmove(ours + to, ours + from, bytes) == ours + to);
    memmove(theirs + to, theirs + from, bytes);
    CHECK(memcmp(ours, theirs, sizeof(ours)) == 0);
    CHECK(k_memset(ours + from, (int)(to + 200), bytes) == ours + from);
    memset(theirs + from, (int)(to + 200), bytes);
    CHECK(memcmp(ours, theirs, sizeof(ours)) == 0);
    CHECK(k_memcpy(ours + to, theirs + from, bytes) == ours + to);
    CHECK(memcmp(ours + to, theirs + from, bytes) == 0);
    CHECK(sign(k_memcmp(ours, theirs, sizeof(ours))) ==
          sign(memcmp(ours, theirs, sizeof(ours))));
}

static void compare_strings(void)
{
    char a[16], b[16], copy[16];
    size_t size = below(sizeof(copy) + 1);

    for (unsigned i = 0; i < sizeof(a); i++) {
        a[i] = "ab\xff"[below(3)];
        b[i] = below(4) ? a[i] : "ab\xff"[below(3)];
    }
    a[below(sizeof(a))] = a[sizeof(a) - 1] = '\0';
    b[below(sizeof(b))] = b[sizeof(b) - 1] = '\0';
    CHECK(k_strlen(a) == strlen(a));
    CHECK(sign(k_strcmp(a, b)) == sign(strcmp(a, b)));
    CHECK(sign(k_strncmp(a, b, size)) == sign(strncmp(a, b, size)));
    CHECK(k_strchr(a, 'b') == strchr(a, 'b') && k_strchr(a, 0xff) == strchr(a, 0xff));
    CHECK(k_strchr(a, '\0') == a + strlen(a));
    memset(copy, '#', sizeof(copy));
    CHECK(k_strlcpy(copy, a, size) == strlen(a));
    if (size > 0) {
        size_t kept = strlen(a) < size ? strlen(a) : size - 1;

        CHECK(memcmp(copy, a, kept) == 0 && copy[kept] == '\0');
    }
    CHECK(size == sizeof(copy) || copy[size] == '#');
}

void test_string(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        compare_memory();
        compare_strings();
    }
}
