/* SPDX-License-Identifier: MIT */
/* A calculator for whole numbers, line by line: + - * / % and parentheses. */
#include <ctype.h>
#include <edit.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 78
#define DEPTH_MOST 16 /* of parentheses and signs: each takes some of the stack */

static const char *next;  /* what is not read yet */
static const char *error; /* the first that was found, or NULL */
static int depth;

static long fail(const char *what)
{
    error = error ? error : what;
    return 0;
}

static char skip_blanks(void)
{
    while (isspace(*next)) {
        next++;
    }
    return *next;
}

static long number(void)
{
    long value = 0;

    if (!isdigit(skip_blanks())) {
        return fail("a number is missing");
    }
    for (; isdigit(*next); next++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *next - '0', &value)) {
            return fail("this number is too large");
        }
    }
    return value;
}

static long calculate(long a, char symbol, long b)
{
    bool overflow = false;
    long result = 0;

    switch (symbol) {
    case '+':
        overflow = __builtin_add_overflow(a, b, &result);
        break;
    case '-':
        overflow = __builtin_sub_overflow(a, b, &result);
        break;
    case '*':
        overflow = __builtin_mul_overflow(a, b, &result);
        break;
    default:
        if (b == 0) {
            return fail("division by zero");
        }
        if (a == LONG_MIN && b == -1) { /* the CPU would fault */
            overflow = symbol == '/';
        } else {
            result = symbol == '/' ? a / b : a % b;
        }
    }
    return overflow ? fail("the result is too large") : result;
}

static int precedence(char symbol)
{
    switch (symbol) {
    case '+':
    case '-':
        return 1;
    case '*':
    case '/':
    case '%':
        return 2;
    default:
        return 0;
    }
}

static long operand(void);

/* Operands, and operators between them that bind at least as tightly as this. */
static long expression(int least)
{
    long value = operand();

    while (!error && precedence(skip_blanks()) >= least) {
        const char symbol = *next++;

        value = calculate(value, symbol, expression(precedence(symbol) + 1));
    }
    return value;
}

/* A number, with signs; or an expression in parentheses. */
static long operand(void)
{
    const char c = skip_blanks();
    long value;

    if (c != '(' && c != '-' && c != '+') {
        return number();
    }
    if (++depth > DEPTH_MOST) {
        return fail("too many parentheses and signs inside each other");
    }
    next++;
    if (c == '(') {
        value = expression(1);
        if (!error && skip_blanks() != ')') {
            fail("a ) is missing");
        }
        next++;
    } else {
        value = operand();
        value = c == '-' ? calculate(0, '-', value) : value;
    }
    depth--;
    return value;
}

/* Prints the value of a line, or what is wrong with it and where. */
static void evaluate(const char *line)
{
    long value;

    next = line;
    error = NULL;
    depth = 0;
    value = expression(1);
    if (!error && skip_blanks() != '\0') {
        fail("an operator is missing");
    }
    if (error) {
        printf("  %*s %s\n", (int)(next - line) + 1, "^", error);
    } else {
        printf("%ld\n", value);
    }
}

int main(int argc, char *argv[])
{
    static struct history history;
    char line[LINE_BYTES];

    if (argc > 1) {
        printf("usage: %s: then type lines such as (1 + 2) * -3\n", argv[0]);
        return 1;
    }
    puts("whole numbers, + - * / % and ( ); quit or Ctrl-D ends");
    for (;;) {
        printf("= ");
        if (edit_line(line, sizeof(line), &history) < 0 || strcmp(line, "quit") == 0) {
            return 0;
        }
        if (line[strspn(line, " ")] != '\0') {
            evaluate(line);
        }
    }
}
