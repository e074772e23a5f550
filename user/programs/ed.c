/* SPDX-License-Identifier: MIT */
/* A text editor line by line, in memory only: the small brother of Unix's ed. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char **lines; /* line n is lines[n - 1] */
static size_t count;
static size_t room;    /* of lines */
static size_t current; /* the line that was used last; 0: none */

static const char help[] =
    "[FROM[,TO]]COMMAND, where a line is a number, . or $, and a comma alone is all\n"
    "  a  append lines behind it, until one that is . alone\n"
    "  i  insert lines before it\n"
    "  d  delete\n"
    "  p  print\n"
    "  n  print with numbers\n"
    "  l  print with $ at each end\n"
    "  q  quit\n"
    "an empty line prints the next one";

/* The lines that a command is about. */
struct range {
    size_t from;
    size_t to;
};

/* Add a line behind line `behind`; false if memory is short. */
static bool add(size_t behind, const char *text)
{
    char *copy = strdup(text);

    if (copy && count == room) {
        const size_t more = room == 0 ? 16 : room * 2;
        char **larger = realloc(lines, more * sizeof(*lines));

        if (larger) {
            lines = larger;
            room = more;
        }
    }
    if (!copy || count == room) {
        free(copy);
        return false;
    }
    memmove(lines + behind + 1, lines + behind, (count - behind) * sizeof(*lines));
    lines[behind] = copy;
    count++;
    current = behind + 1;
    return true;
}

static void take_away(struct range range)
{
    for (size_t n = range.from; n <= range.to; n++) {
        free(lines[n - 1]);
    }
    memmove(lines + range.from - 1, lines + range.to,
            (count - range.to) * sizeof(*lines));
    count -= range.to - range.from + 1;
    current = range.from <= count ? range.from : count;
}

/* A line that is typed, without its end; NULL at the end of input. */
static char *typed_line(void)
{
    static char *line;
    static size_t size;
    intptr_t length = getline(&line, &size);

    if (length < 0) {
        return NULL;
    }
    line[length - 1] = '\0';
    return line;
}

static void type_behind(size_t line)
{
    for (;;) {
        const char *text = typed_line();

        if (!text || strcmp(text, ".") == 0) {
            return;
        }
        if (!add(line++, text)) {
            puts("? memory is short: this line is lost");
            return;
        }
    }
}

static void print(struct range range, char how)
{
    for (size_t n = range.from; n <= range.to; n++) {
        if (how == 'n') {
            printf("%4zu  ", n);
        }
        printf("%s%s\n", lines[n - 1], how == 'l' ? "$" : "");
    }
    current = range.to;
}

/* Read an address, if there is one; returns what follows. */
static const char *read_line_number(const char *text, size_t *line)
{
    char *end;

    switch (*text) {
    case '.':
        *line = current;
        return text + 1;
    case '$':
        *line = count;
        return text + 1;
    default:
        if (isdigit(*text)) {
            *line = strtoul(text, &end, 10);
            text = end;
        }
        return text;
    }
}

static const char *read_range(const char *text, struct range *range)
{
    const char *next = read_line_number(text, &range->from);

    range->to = range->from;
    if (*next == ',') {
        if (next == text) {
            range->from = 1;
        }
        range->to = count;
        next = read_line_number(next + 1, &range->to);
    }
    return next;
}

/* Carry out a command other than q; what is wrong with it, or NULL. */
static const char *obey(const char *text)
{
    struct range range = {current, current};
    const char *letter = read_range(text, &range);

    if (*letter == '\0' && letter == text) {
        range.from = range.to = current + 1;
    }
    if (*letter != '\0' && letter[1] != '\0') {
        return "one letter, and nothing behind it; h helps";
    }
    if (range.from > range.to || range.to > count) {
        return "there are no such lines";
    }
    switch (*letter) {
    case 'a':
        type_behind(range.to);
        return NULL;
    case 'i':
        type_behind(range.from > 0 ? range.from - 1 : 0);
        return NULL;
    case 'h':
        puts(help);
        return NULL;
    case 'd':
    case '\0':
    case 'l':
    case 'n':
    case 'p':
        break;
    default:
        return "no such command; h helps";
    }
    if (range.from == 0) {
        return "there is no line yet";
    }
    if (*letter == 'd') {
        take_away(range);
    } else {
        print(range, *letter);
    }
    return NULL;
}

int main(int argc, char *argv[])
{
    if (argc > 1) {
        printf("usage: %s: it has no files; h helps\n", argv[0]);
        return 1;
    }
    for (;;) {
        const char *command, *error;

        putchar(':');
        command = typed_line();
        if (!command || strcmp(command, "q") == 0) {
            return 0;
        }
        error = obey(command);
        if (error) {
            printf("? %s\n", error);
        }
    }
}
