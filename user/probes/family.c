/* SPDX-License-Identifier: MIT */
/*
 * A process with children: does what its words say, and notes what came of each.
 *
 *   sNAME,WORD,…   spawn that program with these words
 *   w0 wN          wait for any child, for the Nth that was spawned (from 1)
 *   iN             wait for the pid N itself
 *   kN  KN         kill the Nth child; kill the pid N itself
 *   m              kill this process itself
 *   zMS            sleep
 *   cN             count down from N
 *   lN             list the processes, with room for N; notes each that was listed
 *   bN             a wrong pointer, by number
 */
#include <abi/calls.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <stubs.h>
#include <sys.h>

#define NOTE_CALL 40
#define CHILDREN 32
#define LISTED 40
#define KERNEL 0x100000ul /* nothing there is ring 3's */
#define STRING_MOST 256   /* bytes of a string for spawn, with its NUL */
#define PAGE_LAST 4095ul

static intptr_t children[CHILDREN];
static unsigned count;

static void note(char what, intptr_t value, intptr_t result)
{
    syscall3(NOTE_CALL, (uintptr_t)what, (uintptr_t)value, (uintptr_t)result);
}

/* "name,word,word" is taken apart where it stands. */
static void do_spawn(char *text)
{
    char *words = text;

    while (*words != ',' && *words != '\0') {
        words++;
    }
    if (*words == ',') {
        *words++ = '\0';
    }
    for (char *c = words; *c != '\0'; c++) {
        if (*c == ',') {
            *c = ' ';
        }
    }
    children[count] = syscall2(SYS_SPAWN, (uintptr_t)text, (uintptr_t)words);
    note('s', (intptr_t)count + 1, children[count]);
    if (count + 1 < CHILDREN) {
        count++;
    }
}

static void do_wait(intptr_t pid)
{
    intptr_t status = INTPTR_MAX / 3; /* no byte of it is 0 */
    const intptr_t result = syscall2(SYS_WAIT, (uintptr_t)pid, (uintptr_t)&status);

    note('w', pid, result);
    note('t', pid, status);
}

static void do_list(uintptr_t room)
{
    static struct process_info list[LISTED];
    intptr_t result;

    memset(list, 0xa5, sizeof(list));
    result = syscall2(SYS_PROCESSES, (uintptr_t)list, room);
    note('l', (intptr_t)room, result);
    for (uintptr_t i = 0; i < LISTED; i++) {
        const unsigned char *bytes = (const unsigned char *)&list[i];
        uint32_t sum = 0;

        for (size_t b = 0; b < sizeof(list[i].name); b++) {
            sum = sum * 31 + (unsigned char)list[i].name[b];
        }
        if (i < room && result > (intptr_t)i) {
            note('p', list[i].pid | list[i].parent << 8 | list[i].state << 16,
                 (intptr_t)(sum & 0x7fffffff));
        } else if (bytes[0] != 0xa5 || bytes[sizeof(list[i]) - 1] != 0xa5) {
            note('x', (intptr_t)i, -1); /* beyond the room */
        }
    }
}

int main(int argc, char *argv[]);

/*
 * A name whose second half, and its NUL, would lie above the stack, where nothing is.
 */
static intptr_t spawn_off_the_stack(void)
{
    char here;
    volatile char *last = (volatile char *)((uintptr_t)&here | PAGE_LAST);
    const char old = *last;
    intptr_t result;

    *last = 'q';
    result = syscall2(SYS_SPAWN, (uintptr_t)last, (uintptr_t) "");
    *last = old;
    return result;
}

/* As many words as there is room for. */
static intptr_t spawn_longest(void)
{
    static char words[STRING_MOST];

    memset(words, ' ', sizeof(words) - 2);
    words[sizeof(words) - 2] = '7';
    return syscall2(SYS_SPAWN, (uintptr_t) "quiet", (uintptr_t)words);
}

static void do_wrong(int number)
{
    static char endless[STRING_MOST + 1]; /* ends, one byte too late */
    intptr_t result;

    memset(endless, 'x', STRING_MOST);
    switch (number) {
    case 1:
        result = syscall2(SYS_SPAWN, KERNEL, (uintptr_t) "");
        break;
    case 2:
        result = syscall2(SYS_SPAWN, (uintptr_t) "quiet", KERNEL);
        break;
    case 3:
        result = syscall2(SYS_SPAWN, (uintptr_t)endless, (uintptr_t) "");
        break;
    case 4:
        result = syscall2(SYS_SPAWN, (uintptr_t) "quiet", (uintptr_t)endless);
        break;
    case 5:
        result = syscall2(SYS_WAIT, 0, KERNEL);
        break;
    case 6: /* no status wanted */
        result = syscall2(SYS_WAIT, 0, 0);
        break;
    case 7:
        result = syscall2(SYS_PROCESSES, KERNEL, 1);
        break;
    case 8: /* so many elements that their size wraps around */
        result = syscall2(SYS_PROCESSES, (uintptr_t)endless,
                          UINTPTR_MAX / sizeof(struct process_info) + 2);
        break;
    case 10: /* this is ring 3's to read only */
        result = syscall2(SYS_PROCESSES, (uintptr_t)main, 1);
        break;
    case 11:
        result = syscall2(SYS_WAIT, 0, (uintptr_t)main);
        break;
    case 12:
        result = spawn_longest();
        break;
    case 13:
        result = spawn_off_the_stack();
        break;
    default: /* a name where nothing is */
        result = syscall2(SYS_SPAWN, 0x5ffffffe, (uintptr_t) "");
    }
    note('b', number, result);
}

/* Find this process in the list, by its name, and kill it. */
static void do_kill_me(const char *name)
{
    static struct process_info list[LISTED];
    const intptr_t listed = syscall2(SYS_PROCESSES, (uintptr_t)list, LISTED);

    for (intptr_t i = 0; i < listed; i++) {
        if (strcmp(list[i].name, name) == 0) {
            syscall1(SYS_KILL, (uintptr_t)list[i].pid);
            abort(); /* no call, which could be the point where it ends */
        }
    }
}

int main(int argc, char *argv[])
{
    for (int i = 1; i < argc; i++) {
        char *rest = argv[i] + 1;
        const long number = strtol(rest, NULL, 10);

        switch (argv[i][0]) {
        case 's':
            do_spawn(rest);
            break;
        case 'c':
            for (volatile long left = number; left > 0; left--) {
            }
            break;
        case 'w':
            do_wait(number == 0 ? 0 : children[number - 1]);
            break;
        case 'i':
            do_wait(number);
            break;
        case 'k':
            note('k', number, syscall1(SYS_KILL, (uintptr_t)children[number - 1]));
            break;
        case 'K':
            note('K', number, syscall1(SYS_KILL, (uintptr_t)number));
            break;
        case 'm':
            do_kill_me(argv[0]);
            break;
        case 'z':
            sleep_ms((unsigned)number);
            break;
        case 'l':
            do_list((uintptr_t)number);
            break;
        case 'b':
            do_wrong((int)number);
            break;
        default:
            return -1;
        }
    }
    return argc;
}
