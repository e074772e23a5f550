# SPDX-License-Identifier: MIT
"""10-memory: pages that come when a program, or a call of it, touches them."""

from __future__ import annotations

import random

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.elf_images import LOAD, Image
from grader.checks.maps import draw_process
from grader.checks.memory_runs import (
    FAULT,
    HEADER,
    PAGE,
    Ended,
    Program,
    ended,
    expect_all_free,
    expect_status,
    notes_of,
    page_faults,
    programs_boot,
)
from grader.checks.record import Evidence
from grader.machine import Boot, Via

READ_FAULT = 'SDM 3A "Page-Fault Exceptions" (4.7)'
E_FAULT = -4
GP = 13
MORE_BYTES = 4 * PAGE  # of an area that the scenario adds


def stack_of(place: Plan | Case) -> tuple[int, int]:
    values = support.of(place)
    top = values["USER_STACK_TOP"]
    return top - values["STACK_BYTES"], top


def touches(rng: random.Random, low: int, high: int, count: int) -> tuple[str, ...]:
    """Reads and writes on pages of their own, the first one among them; in the end
    come two pages of which the second is the neighbour above, or below."""
    first = low // PAGE + 130
    pages = rng.sample(range(first, high // PAGE - 4), count - 5)
    above, below = (low // PAGE + rng.randrange(n, n + 50) for n in (4, 70))
    rng.shuffle(pages)
    pages += [above, above + 1, below, below - 1]
    places = [page * PAGE + rng.randrange(PAGE) for page in pages]
    places.insert(rng.randrange(count - 5), low)
    return tuple(f"{rng.choice('rw')}{place:x}" for place in places)


@boot("demand")
def demand(plan: Plan) -> Boot:
    """Programs that touch their stack, its edges, and what they may not touch."""
    return demand_boot(plan)


def demand_boot(plan: Plan, via: Via = Via.DIRECT) -> Boot:
    rng = plan.rng()
    low, _ = stack_of(plan)
    image = plan.program("probes/touch.c", elf=True)
    code, constants, _ = _segments(plan.arch, image)
    inside = touches(rng, *stack_of(plan), 12)
    twice = tuple(f"{rng.choice('rw')}{int(word[1:], 16):x}" for word in inside[:6])
    constant = plan.note("constants", 0x60000000 + rng.randrange(1 << 12) * PAGE)
    made = [
        Program(
            "read-only",
            (f"r{constant + 9:x}", f"w{constant + PAGE + rng.randrange(PAGE):x}"),
            FAULT,
            "to write of an area that is only to read, on a page that is absent",
        ),
        Program(
            "read-then-write",
            (f"r{constant + 9:x}", f"w{constant + 10:x}"),
            FAULT,
            "to write of an area that is only to read, on a page that it has read",
        ),
        Program("stack", inside + twice, len(inside + twice) + 1),
        Program(
            "below", (inside[0], f"w{low - 1:x}"), FAULT, "one byte below its area"
        ),
        Program("above", (f"r{stack_of(plan)[1]:x}",), FAULT, "at USER_STACK_TOP"),
        Program("write-code", (f"w{code:x}",), FAULT, "that writes to its code"),
        Program(
            "constants", (f"w{constants:x}",), FAULT, "that writes to its constants"
        ),
        Program("nowhere", (f"r{0x50000000:x}",), FAULT, "where it has no area"),
        Program("null", ("r10",), FAULT, "at the null pointer"),
        Program("kernel", (f"r{0x100000:x}",), FAULT, "of the kernel"),
        Program("privileged", ("e",), -256 - GP),
    ]
    if plan.arch == "x86_64":
        made.append(
            Program("run-stack", (f"x{low + 64:x}",), FAULT, "that it jumps to")
        )
        then = (f"r{low + 65:x}", f"x{low + 64:x}")
        made.append(Program("read-then-run", then, FAULT, "that it jumps to"))
    rng.shuffle(made)
    left = plan.note("left", low + rng.randrange(1, 3) * PAGE + rng.randrange(PAGE))
    return programs_boot(plan, made, image, via, constants=constant, left=left)


def _segments(arch: str, image: bytes) -> list[int]:
    loads = [s for s in Image.of(arch, image).segments if s["type"] == LOAD]
    return [one["va"] for one in loads]


@boot("alive")
def alive(plan: Plan) -> Boot:
    """A process that stops in the middle of its life, for the report's map of it."""
    rng = plan.rng()
    image = plan.program("probes/touch.c", elf=True)
    size = rng.randrange(8, 20) * PAGE
    filled = rng.randrange(1, size // PAGE) * PAGE
    words = (*touches(rng, *stack_of(plan), 12), f"h{size}", f"f{filled:x}", "s")
    draw_process(plan)
    return programs_boot(plan, [Program("alive", words, 0)], image)


@boot("calls")
def calls(plan: Plan) -> Boot:
    """Calls with buffers on pages that nobody has touched yet."""
    rng = plan.rng()
    low, top = stack_of(plan)
    image = plan.program("probes/touch.c", elf=True)
    place = low + rng.randrange(8, 200) * PAGE + rng.randrange(4000)
    edge = low + rng.randrange(8, 200) * PAGE - 2
    constant = plan.note("constants", 0x60000000 + rng.randrange(1 << 12) * PAGE)
    words = [f"p{va:x}" for va in (place, edge, low - 2, top - 1, low, constant + 5)]
    words += [f"g{constant + PAGE:x}", f"g{constant + 5:x}", f"g{low - 1:x}"]
    rng.shuffle(words)
    made = [Program("buffers", tuple(words), len(words) + 1)]
    return programs_boot(plan, made, image, constants=constant)


@boot("short")
def short(plan: Plan) -> Boot:
    """Programs that touch one page after the other until no frame is left: the first
    has enough for a table and two pages, the second for one frame of both."""
    image = plan.program("probes/touch.c", elf=True)
    made = []
    for n, name in enumerate(
        ("pages", "table")
    ):  # one tree may lie where the other lay
        base = 0x40600000 + (256 * n + plan.rng(name).randrange(200)) * PAGE
        places = (base + page * PAGE + 7 for page in range(5))
        words = ("h8388608", *(f"w{place:x}" for place in places))
        made.append(Program(name, words, FAULT, ""))
    return programs_boot(plan, made, image, scenario="memory-short", left0=3, left1=1)


@boot("grub", disc=True)
def grub(plan: Plan) -> Boot:
    return demand_boot(plan, Via.GRUB)


@check("demand-stack", boots=(demand, alive))
def test_stack(case: Case) -> None:
    """The first touch of any page of the stack's area, in whatever order, brings that
    page, zeroed; from then on it is there."""
    case.run(alive, ends=support.ANY_END)  # it is shown, not judged
    evidence = case.run(demand)
    cause = (
        "A page inside of the area was refused: the area counts, not whether a "
        "neighbour is there, nor where the stack pointer stands."
    )
    for one in ended(evidence):
        if one.program.name == "stack":
            expect_once(case, evidence, one.root)
            expect_status(case, evidence, one, cause)
            expect_each(case, evidence, one)
    case.fact("stack", True)


def expect_once(case: Case, evidence: Evidence, root: int) -> None:
    """No page faulted again."""
    have = [e.cr2 for e in page_faults(evidence, root)]
    pages = [va // PAGE for va in have]
    again = [va for n, va in enumerate(have) if pages[n] in pages[:n]]
    case.expect(
        not again,
        expected="A page faults once: then it is there.",
        seen=f"{again[0] if again else 0:#x} faulted again.",
        cause="The page was mapped without the right that the access needs, or another "
        "page was.",
        hint="Map the page of CR2 with the rights of its area.",
        read=READ_FAULT,
    )


def expect_each(case: Case, evidence: Evidence, one: Ended) -> None:
    """Each page came when the program touched it."""
    want = {int(word[1:], 16) // PAGE for word in one.program.words}
    missing = sorted(want - {e.cr2 // PAGE for e in page_faults(evidence, one.root)})
    case.expect(
        not missing,
        expected=f"{len(want)} pages come one by one, each when it is touched.",
        seen=f"{missing[0] * PAGE if missing else 0:#x} was there before anybody "
        "touched it.",
        cause="More than the page that was touched was mapped.",
        hint="One fault, one page.",
        read=HEADER,
    )


@check("demand-edge", boots=(demand, short), needs=("demand-stack",))
def test_edge(case: Case) -> None:
    """One byte outside of every area ends the process, and so does an access that was
    never its to make: above the stack, at 0, in the kernel; a fault that is no page
    fault, too; and a touch for which there is no frame left."""
    judge_refused(case, ("below", "above", "nowhere", "null", "kernel"))
    expect_other_vector(case, case.run(demand))
    expect_short(case, case.run(short))


def expect_other_vector(case: Case, evidence: Evidence) -> None:
    """A #GP ends the process though CR2 names a page that could come."""
    left = support.note(evidence, "left")
    cause = (
        "Only a page fault writes CR2. area_fault did not look at the vector, took "
        "the address of an earlier fault for this one's, and let the instruction be "
        "tried again."
    )
    for one in ended(evidence):
        if one.program.status != -256 - GP:
            continue
        expect_status(case, evidence, one, cause)
        count = sum(
            event.v == GP and event.cpl == 3 and event.regs.get("CR3", 0) == one.root
            for event in support.interrupts(evidence)
        )
        case.expect(
            count == 1,
            expected="An instruction of the kernel's in ring 3 is #GP, once, and ends "
            f"the process, although CR2 still holds {left:#x}, on an absent page of "
            "its stack.",
            seen=f"#GP came {count} times.",
            cause=cause,
            hint="Another vector than VEC_PF: false.",
            read=HEADER,
        )


def expect_short(case: Case, evidence: Evidence) -> None:
    """A page that cannot come ends the process, and takes no frame with it."""
    for one, good in zip(ended(evidence), (2, 0)):
        cause = "frame_alloc or space_map has failed, and area_fault returned true all "
        cause += "the same."
        expect_status(case, evidence, one, cause)
        places = [int(word[1:], 16) for word in one.program.words[1:]]
        have = [e.cr2 for e in page_faults(evidence, one.root) if e.cr2 in places]
        case.expect(
            have == places[: good + 1],
            expected=f"“{one.program.name}” gets {good} pages, and ends with the next "
            "one: there is no frame for it, or none for its table.",
            seen=f"Page faults at {', '.join(map(hex, have))}.",
            cause=cause,
            hint="Return true only if the page is mapped.",
            read=HEADER,
        )
    expect_all_free(case, evidence)


@check("demand-rights", boots=(demand,), needs=("demand-stack",))
def test_rights(case: Case) -> None:
    """What an area does not allow does not happen: code and constants stay read-only,
    also on pages that came on demand, and the stack is not to execute."""
    names = ("write-code", "constants", "read-only", "read-then-write")
    judge_refused(case, (*names, "run-stack", "read-then-run"))


def judge_refused(case: Case, names: tuple[str, ...]) -> None:
    evidence = case.run(demand)
    rows = {one.program.name: one for one in ended(evidence)}
    for one in (rows[name] for name in names if name in rows):
        program = one.program
        expect_status(
            case,
            evidence,
            one,
            f"It touched a byte {program.what}, and area_fault let it go on: an "
            "address was not compared with both ends, or the kind of access not with "
            "the rights.",
        )
        address = int(program.words[-1][1:], 16)
        found = [e for e in page_faults(evidence, one.root) if e.cr2 == address]
        case.expect(
            len(found) == 1,
            expected=f"{address:#x} is a byte {program.what}: #PF with that in CR2, "
            "once, and then it ends.",
            seen=f"That came {len(found)} times.",
            cause="area_fault returned true although that is not allowed: the same "
            "instruction was tried again."
            if found
            else "It went on, and ended by another fault: the page has a right that "
            "its area does not have.",
            hint="Return true only if a frame was mapped, with its area's rights.",
            read=READ_FAULT,
        )
    case.fact("refused", sorted(names))


@check("demand-call", boots=(calls,))
def test_call(case: Case) -> None:
    """A buffer on pages that nobody has touched is good for a call: the kernel brings
    them; a buffer that leaves the area is E_FAULT."""
    evidence = case.run(calls)
    for one in ended(evidence):
        expect_status(case, evidence, one, "A call ended it.")
        low, top = stack_of(case)
        more = support.note(evidence, "constants")
        for n in (n for n in notes_of(case, evidence, one) if n.what in "pg"):
            va = n.value % (1 << 8 * support.word_bytes(case.arch))
            good = n.what == "p" and (
                (low <= va and va + 3 <= top) or more <= va <= more + MORE_BYTES - 3
            )
            want = 3 if good else E_FAULT
            case.expect(
                n.result == want,
                expected=f"write of 3 bytes from {va:#x} returns "
                f"{'3' if want == 3 else 'E_FAULT'}."
                if n.what == "p"
                else f"read to {va:#x}, which ring 3 may not write, returns E_FAULT.",
                seen=f"It returned {support.named(n.result)}.",
                cause="area_fault is also asked for the kernel (user_page_query): then "
                "the address stands in CR2, and the frame has no more than vector, "
                "error and CS.",
                hint="Use read_cr2() and frame->error, nothing else of the frame."
                if good
                else "The byte at an area's end is not in it; and a write needs "
                "SPACE_WRITE.",
                read=HEADER,
            )
    case.fact("calls", True)


@check(
    "memory-grub",
    boots=(grub,),
    needs=("demand-stack", "demand-edge", "demand-rights"),
)
def test_grub(case: Case) -> None:
    """The same programs when GRUB has booted the kernel."""
    with support.only_by_grub():
        evidence = case.run(grub)
        for one in ended(evidence):
            expect_status(case, evidence, one, "It touched its memory.")
