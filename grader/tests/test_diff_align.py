# SPDX-License-Identifier: MIT
"""A student's lines go to the right task, and only what means something differs."""

from __future__ import annotations

import random

import pytest

from grader.diff.align import assign, pieces
from grader.diff.code import lines_of, meaning
from grader.diff.rows import Kind, Row, folded, hunks, rows

SOLUTION = """\
#include <task.h>

/* BEGIN SOLUTION 1.1: state */
static int state;
/* END SOLUTION 1.1 */

void first(int a)
{
    /* BEGIN SOLUTION 1.1: the first */
    if (a) {
        state = a;
    }
    /* END SOLUTION 1.1 */
}

void second(int b)
{
    /* BEGIN SOLUTION 1.2: the second */
    while (b) {
        b--;
    }
    state = b;
    /* END SOLUTION 1.2 */
}
"""
STUDENT = """\
#include <task.h>

int mine;

void first(int a)
{
    if (a) {
        mine = a;
    }
}

void second(int b)
{
    /* TASK 1.2: the second */
    for (; b; b--) {
    }
    mine = b;
}

void third(void)
{
}
"""
PARTS = pieces(SOLUTION, "x.c", frozenset({"1.1", "1.2"}))


def told(text: str) -> list[tuple[str, list[str]]]:
    """The words of each part of the student's text, blank lines apart."""
    found = assign(PARTS, lines_of(text, "x.c"))
    return [
        (part.task, [line.text.strip() for line in lines if line.text.strip()])
        for part, lines in zip(PARTS, found)
    ]


def test_the_parts_know_their_lines_in_handout_and_solution() -> None:
    assert [part.task for part in PARTS] == ["", "1.1", "", "1.1", "", "1.2", ""]
    second = PARTS[5]
    assert [(line.number, line.text.strip()) for line in second.handout] == [
        (13, "/* TASK 1.2: the second */"),
        (14, 'TASK_OPEN("1.2");'),
    ]
    numbers = {line.number: line.text for line in second.solution}
    lines = SOLUTION.splitlines()
    assert all(lines[number - 1] == text for number, text in numbers.items())
    assert [*numbers] == [19, 20, 21, 22]


def test_a_student_s_lines_go_to_the_gap_that_they_fill() -> None:
    found = told(STUDENT)
    assert found[1] == ("1.1", ["int mine;"])
    assert found[3] == ("1.1", ["if (a) {", "mine = a;", "}"])
    assert found[5][1][1:] == ["for (; b; b--) {", "}", "mine = b;"]
    assert found[6] == ("", ["}", "void third(void)", "{", "}"])


def test_the_solution_tells_gaps_apart_that_have_lost_what_was_between_them() -> None:
    gaps = (
        f"/* BEGIN SOLUTION 1.{n}: x */\nint {name};\n/* END SOLUTION 1.{n} */\n"
        for n, name in ((1, "one"), (2, "two"), (3, "three"))
    )
    parts = pieces("\n".join(gaps), "x.c", frozenset({"1.1", "1.2", "1.3"}))
    text = "int zero;\nint one;\nint more;\n\nint three;\nint last;\n"
    found = zip(parts, assign(parts, lines_of(text, "x.c")))
    owners = {part.task: [line.number for line in own] for part, own in found}
    assert owners == {"1.1": [1, 2, 3, 4], "": [], "1.2": [], "1.3": [5, 6]}
    handed = [line.number for part in parts for line in part.handout]
    assert handed == [1, 2, 3, 4, 5]


def test_no_line_is_lost_whatever_a_student_writes() -> None:
    dice = random.Random(5)
    pool = (SOLUTION + STUDENT).splitlines()
    for _ in range(50):
        lines = lines_of("\n".join(dice.choices(pool, k=40)), "x.c")
        given = [line.number for part in assign(PARTS, lines) for line in part]
        assert sorted(given) == [line.number for line in lines]
    assert told("") == [(part.task, []) for part in PARTS]


@pytest.mark.parametrize(
    "name, before, after",
    [
        ("x.c", "a = b+1; /* x */\nf(a,\n  b);", "a=b + 1;\n// y\nf(a, b);"),
        ("x.c", "/* a\nb */ x;", "x; /* never closed"),
        ("x.c", "x;\r\ny;\r\n", "x;\ny;\n"),
        ("x.asm", "mov eax,1 ; x\n\nret", "  mov  eax, 1\n; y\nret"),
    ],
)
def test_white_space_and_comments_mean_nothing(
    name: str, before: str, after: str
) -> None:
    left, right = lines_of(before, name), lines_of(after, name)
    assert meaning(left, name) == meaning(right, name)
    every = rows(left, right, name)
    assert not hunks(every)
    # CRLF is not even shown.
    assert bool(folded(every)) == ("\r" not in before)


@pytest.mark.parametrize(
    "name, before, after",
    [
        ("x.c", "int x;", "intx;"),
        ("x.c", 's = "a b";', 's = "a  b";'),
        ("x.c", 's = "/*"; t; /**/', 's = "/* t; */";'),
        ("x.c", "a - -b;", "a --b;"),
        ("x.c", "#define A\nb", "#define A b"),
        ("x.asm", "push eax\npush ebx", "push eax push ebx"),
        ("x.asm", "db ';', 1", "db ';', 2"),
    ],
)
def test_what_a_compiler_sees_differs(name: str, before: str, after: str) -> None:
    assert hunks(rows(lines_of(before, name), lines_of(after, name), name))


def test_lines_that_resemble_each_other_stand_side_by_side_with_their_words() -> None:
    before = "int a;\n{\n    call(one, two);\n}\nint b;\n"
    after = "int a;\n{\n    if (x) {\n    }\n    call(one, three);\n}\nint b;\n"
    found = rows(lines_of(before, "x.c"), lines_of(after, "x.c"), "x.c")
    pair = next(r for r in found if r.left and r.left.number == 3)
    assert pair.kind is Kind.CHANGED and pair.left and pair.right
    assert pair.right.number == 5
    assert [word for word, differs in pair.left.words if differs] == ["two"]
    assert [word for word, differs in pair.right.words if differs] == ["three"]
    assert numbers(found, 0) == [1, 2, 3, 4, 5]
    assert numbers(found, 1) == [1, 2, 3, 4, 5, 6, 7]


def numbers(found: list[Row], side: int) -> list[int]:
    sides = [(row.left, row.right)[side] for row in found]
    return [one.number for one in sides if one]


def test_a_line_is_shown_without_what_steers_a_terminal() -> None:
    (line,) = lines_of("a\x1b[31m\u202eb\rc" + "x" * 1000, "x.c")
    assert line.text.startswith("a\\x1b[31m\\u202eb\\rc") and len(line.text) < 300
