# SPDX-License-Identifier: MIT
"""Operators change each place of a solution once, and nothing outside of it."""

from __future__ import annotations

from grader.corpus.operators import Change, changes

C = """\
static int outside = 1;
int work(int a)
{
    /* BEGIN SOLUTION 4.1: x */
    if (a < 3 && a != 1) {
        return (a << 12) | FLAG(0) | OTHER;
    }
    first(a & 0xff,
          a - 1);
    second();
    /* END SOLUTION 4.1 */
    return 0;
}
"""
ASM = """\
enter:
    ; BEGIN SOLUTION 4.2: x
    push eax
    mov eax, [esp + 8]          ; the argument
    push dword FIXED | IF
    jb .out
    ; END SOLUTION 4.2
    ret
"""


def whats(found: list[Change], name: str) -> set[str]:
    return {c.what for c in found if c.name.rpartition("-")[0] == name}


def test_c_is_changed_statement_by_statement_and_word_by_word() -> None:
    found = list(changes(C, assembly=False))
    assert whats(found, "dropped") == {
        "return (a << 12) | FLAG(0) | OTHER;  =>  nothing",
        "first(a & 0xff, a - 1);  =>  nothing",
        "second();  =>  nothing",
    }
    head = "if (a < 3 && a != 1) {"
    assert whats(found, "negated") == {f"{head}  =>  if (!(a < 3 && a != 1)) {{"}
    assert whats(found, "off-by-one") == {f"{head}  =>  if (a <= 3 && a != 1) {{"}
    assert f"{head}  =>  if (a < 3 || a != 1) {{" in whats(found, "other-way")
    line = "return (a << 12) | FLAG(0) | OTHER;"
    assert whats(found, "flag-lost") == {
        f"{line}  =>  return (a << 12) | OTHER;",
        f"{line}  =>  return (a << 12) | FLAG(0);",
    }
    assert f"{line}  =>  return (a << 13) | FLAG(0) | OTHER;" in whats(
        found, "constant"
    )
    assert whats(found, "swapped") == {
        "first(a & 0xff, a - 1); second();  =>  second(); first(a & 0xff, a - 1);"
    }


def test_assembly_is_changed_instruction_by_instruction() -> None:
    found = list(changes(ASM, assembly=True))
    assert len(whats(found, "dropped")) == 4
    assert len(whats(found, "swapped")) == 3
    assert whats(found, "flag-lost") == {"push dword FIXED | IF  =>  push dword FIXED"}
    line = "mov eax, [esp + 8] ; the argument"
    assert f"{line}  =>  mov eax, [esp + 12] ; the argument" in whats(found, "offset")
    assert whats(found, "other-way") == {"jb .out  =>  jbe .out"}


def test_each_change_differs_and_leaves_the_outside_alone() -> None:
    for text, assembly in ((C, False), (ASM, True)):
        found = list(changes(text, assembly))
        assert len({c.text for c in found}) == len(found)
        begin, end = "BEGIN SOLUTION", "END SOLUTION"
        for change in found:
            assert change.text != text
            assert change.text.split(begin)[0] == text.split(begin)[0]
            assert change.text.split(end)[1] == text.split(end)[1]
