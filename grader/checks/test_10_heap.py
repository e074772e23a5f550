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
    """A heap that grows and shrinks by random steps, and by too much."""
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
    far = 0x7FFFFFFF - rng.randrange(1 << 20)
    steps += [f"h{-size - rng.randrange(1, 9999)}", f"h{far}", f"h{-far}", "h0"]
    high = support.of(plan)["USER_STACKS_BASE"]
    room = high - heap_start(plan.arch, image)
    steps += [f"h{-size}", "h5", f"h{room - 4}", f"h{room - 5}", "h1", f"h{far}", "h-9"]
    made = [Program("steps", tuple(steps), len(steps) + 1)]
    return programs_boot(plan, made, image)


@boot("zero")
def zero(plan: Plan) -> Boot:
    """A heap that is filled, given back in part, and comes again."""
    rng = plan.rng()
    image = plan.program("probes/touch.c", elf=True)
    size = rng.randrange(5, 9) * PAGE + rng.randrange(1, PAGE)
    back = rng.randrange(2 * PAGE, 4 * PAGE) + rng.randrange(1, PAGE)
    left = size - back
    part = (f"h{-back}", f"h{back}", f"z{left:x}", f"h{-size}")
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
        good = start <= new <= support.of(case)["USER_STACKS_BASE"]
        if not good:
            continue
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


@check("heap-limits", boots=(heap, stop), needs=("heap-end",))
def test_heap_limits(case: Case) -> None:
    """A heap that would end before its begin is E_INVAL, one that would go beyond
    PROGRAM_HIGH or into another area E_NOMEM; the end stays where it was."""
    expect_limits(case, heap, support.of(case)["USER_STACKS_BASE"])
    expect_limits(case, stop, support.note(case.run(stop), "stop"))
    case.fact("limits", True)


def expect_limits(case: Case, spec: BootSpec, high: int) -> None:
    """high: where the heap may end at most."""
    end = 0
    for note in heap_notes(case, spec):
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
            else "What is refused changes nothing: the empty heap " "has no area.",
            seen=f"It ends at {note.area_end:#x}.",
            cause="The area was changed before it was known that it can be.",
            read=HEADER,
        )


@check("heap-zero", boots=(zero,), needs=("demand-heap",))
def test_heap_zero(case: Case) -> None:
    """Memory that was given back and comes again is zeroed, also the rest of a page."""
    evidence = case.run(zero)
    ((_, pid, _, _),) = ended(evidence)
    found = [n for n in notes_of(case, evidence, pid) if n.what == "z"]
    for note, when in zip(found, ("at first", "when a part comes again", "in the end")):
        case.expect(
            note.result == 0,
            expected=f"Every byte of the heap's new part is 0 {when}.",
            seen=f"{note.result} are not.",
            cause="The last page keeps what stood behind the new end."
            if 0 < note.result < PAGE
            else "The pages keep their frames, and what stands in them.",
            hint="Unmap the whole pages, and clear what is left of the last one.",
            read=HEADER,
        )
    case.fact("zero", len(found))


@check("heap-frames", boots=(zero,), needs=("demand-heap",))
def test_heap_frames(case: Case) -> None:
    """Pages that the heap gives back are free frames at once, and all are when the
    process has ended."""
    evidence = case.run(zero)
    size, back = support.note(evidence, "sizes")
    ((_, pid, _, _),) = ended(evidence)
    steps = [n for n in notes_of(case, evidence, pid) if n.what == "h"]
    counted = [n for n in notes_of(case, evidence, pid) if n.what == "z"]
    whole = -(-size // PAGE) - -(-(size - back) // PAGE)
    have = steps[1].frames - counted[0].frames
    case.expect(
        have == whole,
        expected=f"Giving back {back} of {size} bytes frees {whole} frames.",
        seen=f"{have} are free more than before.",
        cause="The area got smaller, but its pages stay mapped."
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
            "Two blocks share memory, or what a block held is gone: look at the calls "
            "that the library makes of SYS_HEAP.",
        )
    expect_all_free(case, evidence)
    case.fact("blocks", True)
