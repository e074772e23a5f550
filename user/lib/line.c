/* SPDX-License-Identifier: MIT */
/* Lines from the console: the kernel gives characters as they are typed. */
#include <edit.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys.h>

#define CTRL(letter) ((letter)&0x1f)
#define ESCAPE '\033'
#define DELETE '\177' /* the Delete key here; Backspace is \b */

struct editor {
    char *line; /* ends with NUL at all times */
    size_t size;
    size_t length;
    size_t cursor; /* the next character goes here, in the line and on the screen */
    struct history *history;
    unsigned shown; /* the number of the history's line that was recalled */
};

/* One character; what cannot be read is the end of the line. */
static char next_character(void)
{
    char c;

    return read(&c, 1) == 1 ? c : '\n';
}

/*
 * The next key. Those that send an escape sequence (ECMA-48: ESC [, a number for some,
 * and a final byte) are taken for the control characters that do the same.
 */
static char next_key(void)
{
    char c = next_character();
    char number = '\0';

    if (c != ESCAPE) {
        return c;
    }
    c = next_character();
    if (c != '[' && c != 'O') {
        return c;
    }
    for (c = next_character(); (c >= '0' && c <= '9') || c == ';';
         c = next_character()) {
        number = c;
    }
    switch (c == '~' ? number : c) {
    case 'A':
        return CTRL('P');
    case 'B':
        return CTRL('N');
    case 'C':
        return CTRL('F');
    case 'D':
        return CTRL('B');
    case 'H':
    case '1':
    case '7':
        return CTRL('A');
    case 'F':
    case '4':
    case '8':
        return CTRL('E');
    case '3':
        return DELETE;
    default:
        return '\0';
    }
}

static void repeat(char c, size_t count)
{
    for (; count > 0; count--) {
        write(&c, 1);
    }
}

/* Show the line from here, where the screen's cursor is, and blanks behind it. */
static void show(const struct editor *editor, size_t from, size_t blanks)
{
    if (editor->length > from) {
        write(editor->line + from, editor->length - from);
    }
    repeat(' ', blanks);
    repeat('\b', editor->length + blanks - editor->cursor);
}

static void move(struct editor *editor, size_t cursor)
{
    if (cursor < editor->cursor) {
        repeat('\b', editor->cursor - cursor);
    } else if (cursor > editor->cursor) {
        write(editor->line + editor->cursor, cursor - editor->cursor);
    }
    editor->cursor = cursor;
}

static void insert(struct editor *editor, char c)
{
    char *place = editor->line + editor->cursor;

    if (editor->length + 1 < editor->size) {
        memmove(place + 1, place, editor->length - editor->cursor + 1);
        *place = c;
        editor->length++;
        editor->cursor++;
        show(editor, editor->cursor - 1, 0);
    }
}

/* Take so many characters away, from the cursor on. */
static void take(struct editor *editor, size_t count)
{
    char *place = editor->line + editor->cursor;

    memmove(place, place + count, editor->length - editor->cursor - count + 1);
    editor->length -= count;
    show(editor, editor->cursor, count);
}

static void take_to_the_left(struct editor *editor, size_t count)
{
    move(editor, editor->cursor - count);
    take(editor, count);
}

static char *remembered(struct history *history, unsigned number)
{
    return history->lines[number % HISTORY_LINES];
}

/* Show another line of the history; the one that was begun waits in the next place. */
static void recall(struct editor *editor, unsigned number)
{
    struct history *history = editor->history;
    const size_t old_length = editor->length;

    if (!history || number > history->count ||
        history->count - number >= HISTORY_LINES) {
        return;
    }
    if (editor->shown == history->count) {
        strlcpy(remembered(history, history->count), editor->line, HISTORY_BYTES);
    }
    editor->shown = number;
    move(editor, 0);
    strlcpy(editor->line, remembered(history, number), editor->size);
    editor->length = editor->cursor = strlen(editor->line);
    show(editor, 0, old_length > editor->length ? old_length - editor->length : 0);
}

static void remember(struct history *history, const char *line, size_t length)
{
    const bool again = history->count > 0 &&
                       strcmp(remembered(history, history->count - 1), line) == 0;

    if (length > 0 && length < HISTORY_BYTES && !again) {
        strcpy(remembered(history, history->count++), line);
    }
}

static void edit(struct editor *editor, char key)
{
    const size_t right = editor->length - editor->cursor;

    switch (key) {
    case '\b':
        if (editor->cursor > 0) {
            take_to_the_left(editor, 1);
        }
        break;
    case CTRL('D'):
    case DELETE:
        take(editor, right > 0 ? 1 : 0);
        break;
    case CTRL('U'):
        take_to_the_left(editor, editor->cursor);
        break;
    case CTRL('K'):
        take(editor, right);
        break;
    case CTRL('A'):
        move(editor, 0);
        break;
    case CTRL('B'):
        move(editor, editor->cursor > 0 ? editor->cursor - 1 : 0);
        break;
    case CTRL('E'):
        move(editor, editor->length);
        break;
    case CTRL('F'):
        move(editor, editor->cursor + (right > 0 ? 1 : 0));
        break;
    case CTRL('P'):
        recall(editor, editor->shown - 1); /* in front of line 0: too large a number */
        break;
    case CTRL('N'):
        recall(editor, editor->shown + 1);
        break;
    default:
        if (key >= ' ') {
            insert(editor, key);
        }
    }
}

intptr_t edit_line(char *line, size_t size, struct history *history)
{
    struct editor editor = {.line = line, .size = size, .history = history};
    char key;

    editor.shown = history ? history->count : 0;
    *line = '\0';
    for (key = next_key(); key != '\n'; key = next_key()) {
        if (key == CTRL('D') && editor.length == 0) {
            write("\n", 1);
            return -1;
        }
        edit(&editor, key);
    }
    write("\n", 1);
    if (history) {
        remember(history, line, editor.length);
    }
    return (intptr_t)editor.length;
}

size_t read_line(char *line, size_t size)
{
    edit_line(line, size, NULL);
    return strlen(line);
}
