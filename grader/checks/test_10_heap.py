# SPDX-License-Identifier: MIT
"""10-memory: the heap of a process, its pages, its end and what it gives back."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import BootSpec, Case, Plan, boot, check
from grader.checks.elf_images import Image
from grader.checks.memory_runs import (
    HEADER,
    PAGE,
    Note,
    Program,
    ended,
    expect_status,
    notes_of,
    programs_boot,
)
from grader.machine import Boot

E_INVAL, E_NOMEM = -1, -2


@boot("stop")
def stop(plan: Plan) -> Boot:
    """A heap above which there is another area."""
    rng = plan.rng()
    image = plan.program("probes/touch.c", elf=True)
    room = rng.randrange(3, 40) * PAGE
    start = plan.note("stop", heap_start(plan.arch, image) + room)
    some = rng.randrange(1, room)
    steps = (room + 1, room, 1, -some, some + PAGE, some, 0, -room, room + 1, 5)
    words = tuple(f"h{step}" for step in steps)
    made = [Program("steps", words, len(words) + 1)]
    return programs_boot(plan, made, image, stop=start)


def heap_start(arch: str, image: bytes) -> int:
    """The page behind the last segment."""
    ends = [s["va"] + s["memory"] for s in Image.of(arch, image).loads()]
    return -(-max(ends) // PAGE) * PAGE


@boot("heap")
def heap(plan: Plan) -> Boot:
    """A heap that grows and shrinks by random steps, to nothing as well."""
    rng = plan.rng()
    image = plan.program("probes/touch.c", elf=True)
    steps: list[str] = []
    size = 0
    for _ in range(12):
        step = rng.choice((rng.randrange(1, 9000), rng.randrange(1, 4) * PAGE))
        if size and rng.random() < 0.4:
            step = -rng.randrange(1, size + 1)
        size += step
        steps.append(f"h{step}")
    steps += [f"h{-size}", f"h{size}"]
    plan.note("start", heap_start(plan.arch, image))
    made = [Program("steps", tuple(steps), len(steps) + 1)]
    return programs_boot(plan, made, image)


@boot("limits")
def limits(plan: Plan) -> Boot:
    """A heap that shall grow and shrink by too much."""
    rng = plan.rng()
    image = plan.program("probes/touch.c", elf=True)
    size = rng.randrange(1, 9999)
    far = 0x7FFFFFFF - rng.randrange(1 << 20)
    room = support.of(plan)["USER_STACKS_BASE"] - heap_start(plan.arch, image)
    steps = [size, -size - rng.randrange(1, 9999), far, -far, 0]
    steps += [-size, 5, room - 4, room - 5, 1, far, -PAGE]
    words = tuple(f"h{step}" for step in steps)
    made = [Program("steps", words, len(words) + 1)]
    return programs_boot(plan, made, image)


def heap_notes(case: Case, spec: BootSpec) -> list[Note]:
    evidence = case.run(spec)
    (one,) = ended(evidence)
    expect_status(case, evidence, one, "It did not come to its end.")
    return [n for n in notes_of(case, evidence, one) if n.what == "h"]


@check("heap-end", boots=(heap,))
def test_heap_end(case: Case) -> None:
    """SYS_HEAP returns where the heap ended, and moves the end by exactly the bytes
    asked for, up and down."""
    end = 0
    for number, note in enumerate(heap_notes(case, heap)):
        start = note.heap_start
        end = end or start
        new = end + note.value
        given = support.note(case.run(heap), "start")
        case.expect(
            start == given,
            expected=f"heap_start is {given:#x}, as memory_start was given it.",
            seen=f"It is {start:#x}.",
            read=HEADER,
        )
        case.expect(
            note.result == end and note.heap_end == new,
            expected=f"Call {number + 1}, {note.value:+d} bytes: the result is "
            f"{end:#x}, the end is then {new:#x}.",
            seen=had(note),
            cause="The end is counted in bytes; only the area is rounded up to pages.",
            read=HEADER,
        )
        area = -(-new // PAGE) * PAGE if new > start else 0
        case.expect(
            note.area_end == area,
            expected=f"The heap's area ends at {area:#x}."
            if area
            else "An empty heap has no area.",
            seen=f"It ends at {note.area_end:#x}.",
            cause="The area does not follow the heap's end, rounded up to a page.",
            read=HEADER,
        )
        end = new
    case.fact("heap", True)


@check("heap-limits", boots=(limits, stop), needs=("heap-end",))
def test_heap_limits(case: Case) -> None:
    """A heap that would end before its begin is E_INVAL, one that would go beyond
    PROGRAM_HIGH or into another area E_NOMEM; the end stays where it was."""
    high = support.of(case)["USER_STACKS_BASE"]
    expect_limits(case, limits, high, "PROGRAM_HIGH")
    start = support.note(case.run(stop, ends=support.ANY_END), "stop")
    expect_limits(case, stop, start, "the begin of another area")
    case.fact("limits", True)


def had(note: Note) -> str:
    """What a call of SYS_HEAP gave, and left."""
    result = support.named(note.result, "#x")
    return f"The result is {result}, the end {note.heap_end:#x}."


def expect_limits(case: Case, spec: BootSpec, high: int, what: str) -> None:
    """high: where the heap may end at most; what: stands there."""
    end = 0
    evidence = case.run(spec, ends=support.ANY_END)  # what went wrong first is noted
    (one,) = ended(evidence)
    notes = [n for n in notes_of(case, evidence, one) if n.what == "h"]
    for note in notes:
        end = end or note.heap_start
        new = end + note.value
        if note.heap_start <= new <= high:
            case.expect(
                note.result == end and note.heap_end == new,
                expected=f"{note.value:+d} bytes from {end:#x} are possible: the heap "
                f"may end at {high:#x} at most.",
                seen=had(note),
                cause="Two areas may adjoin; a limit is wrong by a page, or a call "
                "that was refused has changed something.",
                read=HEADER,
            )
            end = new
            continue
        down = note.value < 0
        code = E_INVAL if down else E_NOMEM
        why = (
            f"the heap would end before its begin, {note.heap_start:#x}"
            if down
            else f"it may end at {high:#x} at most, {what}"
        )
        case.expect(
            note.result == code and note.heap_end == end,
            expected=f"{note.value:+d} bytes from {end:#x}: the result is "
            f"{support.named(code)}, for {why}; and the end stays.",
            seen=had(note),
            cause="It is refused, but by another name: below its begin no heap can "
            "end, E_INVAL; above, there is no room, E_NOMEM."
            if note.result in (E_INVAL, E_NOMEM)
            and note.result != code
            and note.heap_end == end
            else "It is refused, and yet the end has moved: first know, then change."
            if note.result == code
            else f"Nobody compared with {'heap_start' if down else what}, or not "
            "until the sum was made, which wraps around; or the number was taken for "
            "an unsigned one.",
            hint="Compare bytes with PROGRAM_HIGH - end, and -bytes with end - start.",
            read=HEADER,
        )
        area = -(-end // PAGE) * PAGE if end > note.heap_start else 0
        case.expect(
            note.area_end == area,
            expected="What is refused changes nothing: the heap's area ends at "
            f"{area:#x}."
            if area
            else "What is refused changes nothing: the empty heap has no area.",
            seen=f"It ends at {note.area_end:#x}.",
            cause="The area was changed before it was known that it can be.",
            read=HEADER,
        )
    words = one.program.words
    case.expect(
        not notes or len(notes) == len(words),
        expected=f"Each of {len(words)} calls of SYS_HEAP comes back.",
        seen=f"After {words[len(notes) - 1][1:]} bytes came "
        f"{words[len(notes) % len(words)][1:]}, from {end:#x}, and the "
        "program went on no more.",
        cause="The sum wraps around, so the heap seems to end far below, and pages of "
        "the program are given back.",
        read=HEADER,
    )
    heap_notes(case, spec)
