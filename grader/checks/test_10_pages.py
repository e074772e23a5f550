# SPDX-License-Identifier: MIT
"""10-memory: the pages of the heap, as they come, go and come again."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.memory_runs import (
    HEADER,
    PAGE,
    Note,
    Program,
    ended,
    expect_all_free,
    expect_heap_kept,
    expect_status,
    notes_of,
    page_faults,
    programs_boot,
)
from grader.checks.record import Evidence
from grader.machine import Boot

TIMER = 32  # IRQ 0 (PIC_VECTOR_BASE)
# What their headers want called with interrupts off.
QUIET = {"kmalloc", "kzalloc", "kfree", "frame_alloc", "frame_free"}
QUIET |= {"space_map", "space_unmap", "area_add", "area_find", "area_after"}


@boot("zero")
def zero(plan: Plan) -> Boot:
    """A heap that is filled, given back in part, and comes again."""
    rng = plan.rng()
    image = plan.program("probes/touch.c", elf=True)
    size = rng.randrange(5, 9) * PAGE + rng.randrange(1, PAGE)
    left = rng.randrange(1, 3) * PAGE + rng.randrange(1, PAGE)
    back = size - left
    part = (f"h{-back}", f"h{back}", f"z{left:x}", "z0", f"h{-size}")
    words = (f"h{size}", "z0", "f0", *part, f"h{size}", "z0", f"h{-size}", "h0", "n400")
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


@boot("ticks")
def ticks(plan: Plan) -> Boot:
    """A heap that changes while a tick comes every few thousand instructions."""
    image = plan.program("probes/touch.c", elf=True)
    size = plan.rng().randrange(90, 120) * PAGE
    words = ("n600", *(f"h{size}", "t", f"h{-size}") * 8)
    made = [Program("ticks", words, len(words) + 1)]
    return programs_boot(plan, made, image, icount_shift=8)


@check("demand-heap", boots=(zero,))
def test_heap(case: Case) -> None:
    """Growing the heap takes no frame; touching it takes one for each page."""
    evidence = case.run(zero)
    for one in ended(evidence):
        expect_status(case, evidence, one, "A heap's page did not come.")
        found = notes_of(case, evidence, one)
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
            for e in page_faults(evidence, one.root)
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
    (one,) = ended(evidence)
    notes = notes_of(case, evidence, one)
    for note in (n for n in notes if n.what == "h"):
        expect_moved(case, note)
    return [n for n in notes if n.what == "z"]


def expect_moved(case: Case, note: Note) -> None:
    case.expect(
        note.result > 0,
        expected=f"SYS_HEAP({note.value:+d}) returns where the heap ended.",
        seen=f"It returned {support.named(note.result)}.",
        cause="The call was refused: no memory came, or none was given back.",
        read=HEADER,
    )


@check("heap-frames", boots=(zero, ticks), needs=("demand-heap",))
def test_heap_frames(case: Case) -> None:
    """Pages that the heap gives back are free frames at once, all are when the process
    has ended, and so is what the kernel kept of it; no tick comes in between."""
    evidence = case.run(zero)
    size, back = support.note(evidence, "sizes")
    (one,) = ended(evidence)
    steps = [n for n in notes_of(case, evidence, one) if n.what == "h"]
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
    expect_heap_kept(case, evidence)
    expect_undisturbed(case, case.run(ticks))
    case.fact("frames", whole)


def expect_undisturbed(case: Case, evidence: Evidence) -> None:
    """No tick came where memory is taken or given."""
    (one,) = ended(evidence)
    found = (
        evidence.symbols.at(event.pc)
        for event in support.interrupts(evidence)
        if event.v == TIMER and event.cpl == 0 and event.regs.get("CR3", 0) == one.root
    )
    places = [place for place in found if place and place.function in QUIET]
    case.expect(
        not places,
        expected="While the heap grows and shrinks, no tick interrupts what takes or "
        "gives memory.",
        seen=f"{len(places)} did, the first at {places[0] if places else ''}.",
        cause="A call is served with interrupts on. Behind the tick others run, and "
        "find the lists of frames or areas half changed.",
        hint="cpu_cli around all of the change, cpu_sti behind it.",
        read=HEADER,
    )
    expect_status(case, evidence, one, "A tick came while its heap grew or shrank.")


@check("heap-malloc", boots=(malloc,), needs=("heap-end",))
def test_malloc(case: Case) -> None:
    """malloc and free of the C library work on it, hundreds of times, and no block
    loses its bytes."""
    evidence = case.run(malloc)
    cause = (
        "A page of its heap did not come (#PF), two blocks share memory, or what a "
        "block held is gone: look at the calls that the library makes of SYS_HEAP."
    )
    for one in ended(evidence):
        expect_status(case, evidence, one, cause)
    expect_all_free(case, evidence)
    case.fact("blocks", True)
