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
    expect_all_free,
    expect_status,
    notes_of,
    page_faults,
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


@boot("zero")
def zero(plan: Plan) -> Boot:
    """A heap that is filled, given back in part, and comes again."""
    rng = plan.rng()
    image = plan.program("probes/touch.c", elf=True)
    size = rng.randrange(5, 9) * PAGE + rng.randrange(1, PAGE)
    left = rng.randrange(1, 3) * PAGE + rng.randrange(1, PAGE)
    back = size - left
    part = (f"h{-back}", f"h{back}", f"z{left:x}", "z0", f"h{-size}")
    words = (f"h{size}", "z0", "f0", *part, f"h{size}", "z0", f"h{-size}", "h0")
    plan.note("sizes", (size, back))
    return programs_boot(plan, [Program("zero", words, len(words) + 1)], image)


@boot("malloc")
def malloc(plan: Plan) -> Boot:
    rng = plan.rng()
    image = plan.program("probes/blocks.c", elf=True)
    words = (f"{rng.getrandbits(31):x}", "600")
    made = [
        Program("blocks", words, 0),
        Program("more", (f"{rng.getrandbits(31):x}", "300"), 0),
    ]
    return programs_boot(plan, made, image)


@check("demand-heap", boots=(zero,))
def test_heap(case: Case) -> None:
    """Growing the heap takes no frame; touching it takes one for each page."""
    evidence = case.run(zero)
    for program, pid, root, status in ended(evidence):
        expect_status(
            case, evidence, program, pid, status, "A heap's page did not come."
        )
        found = notes_of(case, evidence, pid)
        size, _ = support.note(evidence, "sizes")
        pages = -(-size // PAGE)
        grown = next((n for n in found if n.what == "h"), None)
        counted = next((n for n in found if n.what == "z"), None)
        if grown is None or counted is None:
            case.fail(
                expected="The program notes what its first calls gave.",
                seen=f"It noted {len(found)} times.",
                read=HEADER,
            )
        expect_moved(case, grown)
        start = grown.heap_start
        faults = {
            e.cr2 // PAGE
            for e in page_faults(evidence, root)
            if start <= e.cr2 < start + size
        }
        want = set(range(start // PAGE, start // PAGE + pages))
        case.expect(
            want <= faults,
            expected=f"Each of the {pages} pages of the heap comes with a page fault "
            "of ring 3.",
            seen=f"{len(want - faults)} were there before they were touched.",
            cause="sys_heap maps pages, which is area_fault's to do: a program that "
            "asks for much and uses little would take it from all others.",
            hint="The heap is an area; its pages come like those of the stack.",
            read=HEADER,
        )
    case.fact("heap", True)


def heap_notes(case: Case, spec: BootSpec) -> list[Note]:
    evidence = case.run(spec)
    ((program, pid, _, status),) = ended(evidence)
    expect_status(case, evidence, program, pid, status, "It did not come to its end.")
    return [n for n in notes_of(case, evidence, pid) if n.what == "h"]


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
            seen=f"The result is {note.result:#x}, the end {note.heap_end:#x}.",
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
    expect_limits(case, limits, support.of(case)["USER_STACKS_BASE"])
    expect_limits(case, stop, support.note(case.run(stop), "stop"))
    case.fact("limits", True)


def expect_limits(case: Case, spec: BootSpec, high: int) -> None:
    """high: where the heap may end at most."""
    end = 0
    evidence = case.run(spec, ends=support.ANY_END)  # what went wrong first is noted
    ((program, pid, _, _),) = ended(evidence)
    notes = [n for n in notes_of(case, evidence, pid) if n.what == "h"]
    for note in notes:
        end = end or note.heap_start
        new = end + note.value
        if note.heap_start <= new <= high:
            case.expect(
                note.result == end and note.heap_end == new,
                expected=f"{note.value:+d} bytes from {end:#x} are possible: the heap "
                f"may end at {high:#x} at most.",
                seen=f"The result is {note.result:#x}, the end {note.heap_end:#x}.",
                cause="Two areas may adjoin; a limit is wrong by a page, or a call "
                "that was refused has changed something.",
                read=HEADER,
            )
            end = new
            continue
        code, name = (E_INVAL, "E_INVAL") if note.value < 0 else (E_NOMEM, "E_NOMEM")
        case.expect(
            note.result == code and note.heap_end == end,
            expected=f"{note.value:+d} bytes from {end:#x}: the result is {name}, and "
            "the end stays.",
            seen=f"The result is {note.result:#x}, the end {note.heap_end:#x}.",
            cause="The sum was made before anybody looked: it wraps around, or the "
            "number was taken for an unsigned one.",
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
    case.expect(
        not notes or len(notes) == len(program.words),
        expected=f"Each of {len(program.words)} calls of SYS_HEAP comes back.",
        seen=f"After {program.words[len(notes) - 1][1:]} bytes came "
        f"{program.words[len(notes) % len(program.words)][1:]}, from {end:#x}, and the "
        "program went on no more.",
        cause="The sum wraps around, so the heap seems to end far below, and pages of "
        "the program are given back.",
        read=HEADER,
    )
    heap_notes(case, spec)


@check("heap-zero", boots=(zero,), needs=("demand-heap",))
def test_heap_zero(case: Case) -> None:
    """Memory that was given back and comes again is zeroed, also the rest of a page;
    what the heap has kept is as it was."""
    found = moved(case)
    size, back = support.note(case.run(zero), "sizes")
    wanted = (
        (0, "when it is new"),
        (0, "that have come again"),
        (size - back, "when some have come again"),
        (0, "when all have come again"),
    )
    for note, (want, when) in zip(found, wanted):
        case.expect(
            note.result == want,
            expected=f"Of the heap's bytes {when}, {want} are not 0.",
            seen=f"{note.result} are not.",
            cause="Bytes in front of the new end were cleared, or their page was freed."
            if note.result < want
            else "The last page keeps what stood behind the new end."
            if 0 < note.result < PAGE
            else "The pages keep their frames, and what stands in them.",
            hint="Unmap the whole pages, and clear what is left of the last one.",
            read=HEADER,
        )
    case.fact("zero", len(found))


def moved(case: Case) -> list[Note]:
    """What the program of `zero` counted, after its heap has moved as it asked."""
    evidence = case.run(zero)
    ((_, pid, _, _),) = ended(evidence)
    notes = notes_of(case, evidence, pid)
    for note in (n for n in notes if n.what == "h"):
        expect_moved(case, note)
    return [n for n in notes if n.what == "z"]


def expect_moved(case: Case, note: Note) -> None:
    case.expect(
        note.result > 0,
        expected=f"SYS_HEAP({note.value:+d}) returns where the heap ended.",
        seen=f"It returned {note.result}.",
        cause="The call was refused: no memory came, or none was given back.",
        read=HEADER,
    )


@check("heap-frames", boots=(zero,), needs=("demand-heap",))
def test_heap_frames(case: Case) -> None:
    """Pages that the heap gives back are free frames at once, and all are when the
    process has ended."""
    evidence = case.run(zero)
    size, back = support.note(evidence, "sizes")
    ((_, pid, _, _),) = ended(evidence)
    steps = [n for n in notes_of(case, evidence, pid) if n.what == "h"]
    counted = moved(case)
    whole = -(-size // PAGE) - -(-(size - back) // PAGE)
    have = steps[1].frames - counted[0].frames
    case.expect(
        have == whole,
        expected=f"Giving back {back} of {size} bytes frees {whole} frames.",
        seen=f"{have} are free more than before.",
        cause="The area got smaller, but its pages stay mapped, or are unmapped and "
        "their frames are not freed."
        if have < whole
        else "A page was freed that the heap still has.",
        hint="space_unmap, then frame_free, for each page beyond the new end.",
        read=HEADER,
    )
    expect_all_free(case, evidence)
    case.fact("frames", whole)


@check("heap-malloc", boots=(malloc,), needs=("heap-end",))
def test_malloc(case: Case) -> None:
    """malloc and free of the C library work on it, hundreds of times, and no block
    loses its bytes."""
    evidence = case.run(malloc)
    for program, pid, _, status in ended(evidence):
        expect_status(
            case,
            evidence,
            program,
            pid,
            status,
            "A page of its heap did not come (#PF), two blocks share memory, or what a "
            "block held is gone: look at the calls that the library makes of SYS_HEAP.",
        )
    expect_all_free(case, evidence)
    case.fact("blocks", True)
