# SPDX-License-Identifier: MIT
"""10-memory: the areas of a process, asked directly."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.record import Evidence
from grader.machine import Boot, Module

HEADER = "kernel/include/course/10-memory.h"
PAGE = support.PAGE
ADD, FIND, AFTER = range(3)
OK, E_INVAL = 0, -1
MOST = 256


_PAGES = "Areas are made of whole pages: both ends are multiples of PAGE_BYTES."
_EMPTY = "start < end is wanted, without a difference that wraps around."
_MISSED = "An area in the way was not seen"
_STACK = f"{_MISSED}, or memory_start added less than STACK_BYTES for the stack."
_BOUNDS = "Both ends must be ring 3's: USER_BASE <= start, and end <= USER_END."
CAUSES = {
    "it is the first page of the stack": _STACK,
    "it is the last page of the stack": _STACK,
    "its begin is none of a page": _PAGES,
    "its end is none of a page": _PAGES,
    "it is empty": _EMPTY,
    "its end lies before its begin": _EMPTY,
    "its end wraps around to 0": _EMPTY,
    "it lies below USER_BASE": _BOUNDS,
    "it begins below USER_BASE": _BOUNDS,
    "it lies beyond USER_END": _BOUNDS,
    "it ends beyond USER_END": _BOUNDS,
    "its end is far beyond USER_END": _BOUNDS,
}


@dataclass(frozen=True)
class Question:
    """One call, and what must come of it: an error code, or an area (None: none)."""

    kind: int
    start: int
    end: int = 0
    rights: int = 0
    code: int = OK
    area: tuple[int, int, int] | None = None
    why: str = ""


class Model:
    """The areas as they must be, ascending."""

    def __init__(self, base: int, end: int, word: int) -> None:
        self.base, self.end, self.word = base, end, word
        self.areas: list[tuple[int, int, int]] = []

    def add(self, start: int, end: int, rights: int, why: str) -> Question:
        good = (
            start % PAGE == 0
            and end % PAGE == 0
            and self.base <= start < end <= self.end
            and all(end <= low or start >= high for low, high, _ in self.areas)
        )
        if good:
            self.areas = sorted([*self.areas, (start, end, rights)])
        code = OK if good else E_INVAL
        return Question(ADD, start, end, rights, code, why=why)

    def find(self, va: int) -> Question:
        found = next((a for a in self.areas if a[0] <= va < a[1]), None)
        return Question(FIND, va, area=found)

    def after(self, va: int) -> Question:
        return Question(
            AFTER, va, area=next((a for a in self.areas if a[0] >= va), None)
        )


def questions(rng: random.Random, model: Model) -> list[Question]:
    """The stack's area; then ones that fit, and ones that do not, by one page or one
    byte."""
    ((low, high, _),) = model.areas
    asked = [
        model.add(low, low + PAGE, 0, "it is the first page of the stack"),
        model.add(high - PAGE, high, 0, "it is the last page of the stack"),
        model.find(low),
        model.after(low),
    ]
    # The lower one of two, whichever of them stands first in a list.
    for lower in (rng.randrange(0x100, 0x200) * PAGE, rng.randrange(0x40, 0x80) * PAGE):
        start = low - lower
        asked.append(model.add(start, start + 2 * PAGE, 0, "it lies somewhere"))
    start = model.areas[0][0]
    asked.append(
        model.add(start - PAGE, start + PAGE, 0, "its last page is another's first")
    )
    for number in range(60):
        low = model.base // PAGE + rng.randrange(1 << 14)
        start, size = low * PAGE, rng.randrange(1, 40) * PAGE
        asked.append(
            model.add(start, start + size, rng.randrange(4), "it lies somewhere")
        )
        low, high, _ = rng.choice(model.areas)
        edges = (
            (model.base - PAGE, model.base, "it lies below USER_BASE"),
            (model.base - PAGE, model.base + PAGE, "it begins below USER_BASE"),
            (model.end, model.end + PAGE, "it lies beyond USER_END"),
            (model.end - PAGE, model.end + PAGE, "it ends beyond USER_END"),
            (model.end - PAGE, model.word - PAGE, "its end is far beyond USER_END"),
            (high, high + PAGE, "it begins where another ends"),
            (low - PAGE, low, "it ends where another begins"),
            (high - PAGE, high + PAGE, "its first page is another's last"),
            (low - PAGE, low + PAGE, "its last page is another's first"),
            (low, high, "it is one that there is"),
            (low - PAGE, high + PAGE, "another lies within it"),
            (high + 8, high + PAGE, "its begin is none of a page"),
            (high, high + 100, "its end is none of a page"),
            (high, high, "it is empty"),
            (high + PAGE, high, "its end lies before its begin"),
            (model.end - PAGE, model.end, "it is the last page of ring 3"),
            (model.base, model.base + PAGE, "it is the first page of ring 3"),
            (model.word - PAGE, 0, "its end wraps around to 0"),
        )
        start, end, why = edges[number % len(edges)]
        asked.append(model.add(start % model.word, end, rng.randrange(4), why))
        low, high, _ = rng.choice(model.areas)
        places = (low, high - 1, high, low - 1, low + 5, 0, model.word - 1)
        ask = (model.find, model.after)[number % 2]
        asked.append(ask(places[number % len(places)]))
    return asked[:MOST]


@boot("areas")
def areas(plan: Plan) -> Boot:
    values, rng = support.of(plan), plan.rng()
    word = 1 << 8 * support.word_bytes(plan.arch)
    model = Model(values["USER_BASE"], values["USER_END"], word)
    top = values["USER_STACK_TOP"]
    model.areas = [(top - values["STACK_BYTES"], top, 1)]
    made = plan.note("questions", questions(rng, model))
    data = b"".join(
        struct.pack("<QQII", q.start, q.end, q.kind, q.rights) for q in made
    )
    return plan.boot(
        "memory-areas",
        *support.hexadecimal(heap=values["USER_PROGRAM_BASE"] + 64 * PAGE),
        modules=(Module("questions", data),),
    )


@boot("lives")
def lives(plan: Plan) -> Boot:
    return plan.boot("memory-lives")


Answer = tuple[int, tuple[int, int, int] | None]


def answers(evidence: Evidence) -> list[tuple[Question, Answer]]:
    made: list[Question] = support.note(evidence, "questions")
    rows = support.array(evidence, "scenario_answers", "iIQQ", len(made))
    return [
        (q, (code, (start, end, rights) if start else None))
        for q, (code, rights, start, end) in zip(made, rows)
    ]


@check("area-add", boots=(areas,))
def test_add(case: Case) -> None:
    """area_add takes every area that fits, to the page, and refuses what overlaps,
    is no area, or is not ring 3's to have."""
    for number, (question, (code, _)) in enumerate(answers(case.run(areas))):
        if question.kind != ADD:
            continue
        fits = question.code == OK
        case.expect(
            code == question.code,
            expected=f"Question {number + 1}: area_add from {question.start:#x} to "
            f"{question.end:#x} returns {'E_OK' if fits else 'E_INVAL'}: {question.why}"
            f"{' and free' if question.why == 'it lies somewhere' and fits else ''}.",
            seen=f"It returned {support.named(code)}.",
            cause="Two areas may adjoin, and one may lie at either end of ring 3's "
            "addresses: end is not a part of an area any more."
            if fits
            else CAUSES.get(question.why, f"{_MISSED}."),
            hint="Two areas overlap if each begins before the other ends.",
            read=HEADER,
        )
    case.fact("areas", True)


@check("area-find", boots=(areas,), needs=("area-add",))
def test_find(case: Case) -> None:
    """area_find knows the area of any address, area_after the next one from there."""
    for question, (_, found) in answers(case.run(areas)):
        if question.kind == ADD:
            continue
        name = "area_find" if question.kind == FIND else "area_after"
        case.expect(
            found == question.area,
            expected=f"{name}({question.start:#x}) gives {_area(question.area)}.",
            seen=f"It gave {_area(found)}.",
            cause="The begin of an area belongs to it, its end does not.",
            hint="start <= va && va < end.",
            read=HEADER,
        )
    case.fact("found", True)


def _area(area: tuple[int, int, int] | None) -> str:
    if area is None:
        return "NULL"
    return f"{area[0]:#x} to {area[1]:#x} with rights {area[2]}"


@check("area-leak", boots=(lives,))
def test_leak(case: Case) -> None:
    """Two hundred processes with a dozen areas each leave the kernel's heap as it was,
    and so does one for which it is too full."""
    evidence = case.run(lives)
    ((before, after),) = support.array(evidence, "scenario_used", "II", 1)
    case.expect(
        before == after,
        expected=f"Of the kernel's heap {before} bytes are in use, before and after.",
        seen=f"Afterwards it is {after}: areas or what holds them are still there.",
        cause="memory_end frees less than memory_start and area_add have taken.",
        hint="Each area, then the structure that holds them.",
        read=HEADER,
    )
    ((kept,),) = support.array(evidence, "scenario_kept", "I", 1)
    ((_, _, other, made, lost),) = support.array(evidence, "scenario_narrow", "5I", 1)
    case.expect(
        not kept,
        expected="process->memory is NULL behind memory_end.",
        seen="It is an address.",
        cause="Whoever looks at it later finds memory that is another's.",
        read=HEADER,
    )
    case.expect(
        not other,
        expected="area_add returns E_NOMEM when the kernel's heap is full.",
        seen="It returned another error.",
        cause="kmalloc has returned NULL.",
        read=HEADER,
    )
    case.expect(
        not lost and not made,
        expected="When memory_start returns E_NOMEM, nothing of it is left: "
        "process->memory is NULL, the heap as before.",
        seen=f"{lost} times the heap had less room, {made} times process->memory was "
        "an address.",
        cause="The second kmalloc fails, and what the first one gave is forgotten.",
        hint="On an error free what came before it.",
        read=HEADER,
    )
    case.fact("blocks", before == after)
