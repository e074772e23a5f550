# SPDX-License-Identifier: MIT
"""10-memory: programs whose memory comes when they touch it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from grader.checks import support
from grader.checks.api import BootSpec, Case, Plan, boot, check
from grader.checks.elf_images import LOAD, Image
from grader.checks.maps import draw_process
from grader.checks.record import Evidence
from grader.checks.spaces import RANGES
from grader.checks.test_09_run import exits
from grader.checks.threads import registers
from grader.evidence.events import Interrupt
from grader.machine import Boot, Limits, Module, Via

HEADER = "kernel/include/course/10-memory.h"
READ_FAULT = 'SDM 3A "Page-Fault Exceptions" (4.7)'
PAGE, PF = support.PAGE, 14
GATE, MASK = 0x80, 0xFFFFFFFF
E_INVAL, E_NOMEM, E_FAULT = -1, -2, -4
FAULT = -256 - PF
NOTES, NOTE_CALL = 256, 40
MORE_BYTES = 4 * PAGE  # of an area that the scenario adds
LONG = Limits(cpu_s=5.0, log_bytes=16 << 20)


@dataclass(frozen=True)
class Program:
    """A process of the plan: its words, and the status that it must end with."""

    name: str
    words: tuple[str, ...]
    status: int
    what: str = ""

    def module(self, image: bytes) -> Module:
        return Module(self.name, image, " ".join(self.words))


@dataclass(frozen=True)
class Note:
    """What a program said, and what it had then."""

    pid: int
    frames: int
    what: str
    value: int
    result: int
    heap_start: int
    heap_end: int
    area_end: int


def said(evidence: Evidence, root: int) -> list[tuple[int, ...]]:
    """What ring 3 gave to the call NOTE_CALL, as the CPU recorded it."""
    names = ("bx", "cx", "dx") if evidence.arch == "i386" else ("di", "si", "dx")
    found = []
    for event in support.interrupts(evidence):
        if event.v == GATE and event.cpl == 3 and event.regs.get("CR3", 0) == root:
            held = registers(event.dump)
            if held.get("ax") == NOTE_CALL:
                found.append(tuple(held.get(name, 0) for name in names))
    return found


def notes_of(case: Case, evidence: Evidence, pid: int) -> list[Note]:
    """The notes of a process; what it said itself is taken from the CPU's record."""
    root = next(root for _, of, root, _ in ended(evidence) if of == pid)
    ((count,),) = support.array(evidence, "scenario_note_count", "I", 1)
    rows = support.array(evidence, "scenario_notes", "iI3QQQQ", min(count, NOTES))
    word = 1 << 8 * support.word_bytes(evidence.arch)
    words = said(evidence, root)
    mine = [row for row in rows if row[0] == pid]
    case.expect(
        [row[2:5] for row in mine] == words,
        expected=f"The kernel has noted the {len(words)} calls that ring 3 made of the "
        "grader's own call, with their arguments.",
        seen=f"It has noted {len(mine)}, or others.",
        cause="A system call did not come through as stage 06 has it, or something "
        "wrote to memory that is the grader's.",
        read=HEADER,
    )
    found = []
    for of, frames, what, value, result, start, end, area in mine:
        if of == pid:
            signed = result - word if result >= word - 4096 else result
            back = value - word if value >= word >> 1 else value
            shown = chr(what & 0x7F)
            found.append(Note(of, frames, shown, back, signed, start, end, area))
    return found


def programs_boot(
    plan: Plan,
    made: Sequence[Program],
    image: bytes,
    via: Via = Via.DIRECT,
    scenario: str = "memory-run",
    **words: int,
) -> Boot:
    plan.note("programs", list(made))
    return plan.boot(
        scenario,
        *support.hexadecimal(**words),
        modules=tuple(one.module(image) for one in made),
        icount_shift=5,
        limits=LONG,
        via=via,
    )


def ended(evidence: Evidence) -> list[tuple[Program, int, int, int]]:
    """Each program with its pid, its tree, and how it ended."""
    made: list[Program] = support.note(evidence, "programs")
    word = "I" if evidence.arch == "i386" else "Q"
    pids = support.array(evidence, "scenario_started", "i", len(made))
    roots = support.array(evidence, "scenario_roots", word, len(made))
    statuses = support.array(evidence, "scenario_statuses", "q", len(made))
    return [
        (one, pid, root, status)
        for one, (pid,), (root,), (status,) in zip(made, pids, roots, statuses)
    ]


def page_faults(evidence: Evidence, root: int) -> list[Interrupt]:
    """Those of ring 3 under one tree, in order."""
    return [
        e
        for e in support.interrupts(evidence)
        if e.v == PF and e.fault and e.cpl == 3 and e.regs.get("CR3", 0) == root
    ]


def stack_of(plan: Plan) -> tuple[int, int]:
    values = support.of(plan)
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
    ]
    if plan.arch == "x86_64":
        made.append(
            Program("run-stack", (f"x{low + 64:x}",), FAULT, "that it jumps to")
        )
        then = (f"r{low + 65:x}", f"x{low + 64:x}")
        made.append(Program("read-then-run", then, FAULT, "that it jumps to"))
    rng.shuffle(made)
    return programs_boot(plan, made, image, via, constants=constant)


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


@boot("grub")
def grub(plan: Plan) -> Boot:
    return demand_boot(plan, Via.GRUB)


def expect_status(
    case: Case, evidence: Evidence, program: Program, pid: int, status: int, cause: str
) -> None:
    """It ended as it must, and that by what the CPU recorded of it."""
    case.expect(
        pid > 0 and status == program.status,
        expected=f"The program “{program.name} {' '.join(program.words)}” "
        + (
            f"ends by #PF, {FAULT}."
            if program.status == FAULT
            else f"ends with status {program.status}."
        ),
        seen=f"process_start returned {pid}."
        if pid <= 0
        else f"Its status is {status}.",
        cause=cause,
        read=HEADER,
    )
    root = next(root for one, of, root, _ in ended(evidence) if of == pid)
    if program.status != FAULT:
        given = exits(evidence).get(root)
        case.expect(
            given is not None and given & MASK == status,
            expected=f"The program gives {status} to exit.",
            seen="It never called exit."
            if given is None
            else f"It gave {given & MASK:#x}.",
            cause="Its status was not its own doing.",
            read=HEADER,
        )


@check("demand-stack", boots=(demand, alive))
def test_stack(case: Case) -> None:
    """The first touch of any page of the stack's area, in whatever order, brings that
    page, zeroed; from then on it is there."""
    case.run(alive, ends=support.ANY_END)  # it is shown, not judged
    evidence = case.run(demand)
    for program, pid, root, status in ended(evidence):
        if program.name != "stack":
            continue
        expect_status(
            case,
            evidence,
            program,
            pid,
            status,
            "A page inside of the area was refused: the area counts, not whether a "
            "neighbour is there, nor where the stack pointer stands.",
        )
        expect_faults(case, evidence, program, root)
    case.fact("stack", True)


def expect_faults(case: Case, evidence: Evidence, program: Program, root: int) -> None:
    """Each page faulted exactly once, at the address of its first touch."""
    want: dict[int, int] = {}
    for word in program.words:
        want.setdefault(int(word[1:], 16) // PAGE, int(word[1:], 16))
    have = [e.cr2 for e in page_faults(evidence, root) if e.cr2 // PAGE in want]
    again = [
        va for n, va in enumerate(have) if va // PAGE in {v // PAGE for v in have[:n]}
    ]
    case.expect(
        not again,
        expected="A page faults once: then it is there.",
        seen=f"{again[0] if again else 0:#x} faulted again.",
        cause="The page was mapped without the right that the access needs, or another "
        "page was.",
        hint="Map the page of CR2 with the rights of its area.",
        read=READ_FAULT,
    )
    missing = sorted(set(want) - {va // PAGE for va in have})
    case.expect(
        not missing,
        expected=f"{len(want)} pages come one by one, each when it is touched.",
        seen=f"{missing[0] * PAGE if missing else 0:#x} was there before anybody "
        "touched it.",
        cause="More than the page that was touched was mapped.",
        hint="One fault, one page.",
        read=HEADER,
    )


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


@check("demand-edge", boots=(demand, short), needs=("demand-stack",))
def test_edge(case: Case) -> None:
    """One byte outside of every area ends the process, and so does an access that was
    never its to make: above the stack, at 0, in the kernel; and a touch for which there
    is no frame left."""
    judge_refused(case, ("below", "above", "nowhere", "null", "kernel"))
    expect_short(case, case.run(short))


def expect_short(case: Case, evidence: Evidence) -> None:
    """A page that cannot come ends the process, and takes no frame with it."""
    for (program, pid, root, status), good in zip(ended(evidence), (2, 0)):
        cause = "frame_alloc or space_map has failed, and area_fault returned true all "
        cause += "the same, or mapped the frame at 0, which is the kernel's."
        expect_status(case, evidence, program, pid, status, cause)
        places = [int(word[1:], 16) for word in program.words[1:]]
        have = [e.cr2 for e in page_faults(evidence, root) if e.cr2 in places]
        case.expect(
            have == places[: good + 1],
            expected=f"“{program.name}” gets {good} pages, and ends with the next one: "
            "there is no frame for it, or none for its table.",
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
    for program, pid, root, status in ended(evidence):
        if program.name not in names:
            continue
        expect_status(
            case,
            evidence,
            program,
            pid,
            status,
            f"It touched a byte {program.what}, and area_fault let it go on: an "
            "address was not compared with both ends, or the kind of access not with "
            "the rights.",
        )
        address = int(program.words[-1][1:], 16)
        found = [e for e in page_faults(evidence, root) if e.cr2 == address]
        case.expect(
            len(found) == 1,
            expected=f"#PF with CR2 {address:#x}, once, and then it ends.",
            seen=f"That came {len(found)} times.",
            cause="The same instruction was tried again although nothing had changed."
            if found
            else "It ended by another fault.",
            hint="Return true only if a frame was mapped.",
            read=READ_FAULT,
        )
    case.fact("refused", sorted(names))


@check("demand-call", boots=(calls,))
def test_call(case: Case) -> None:
    """A buffer on pages that nobody has touched is good for a call: the kernel brings
    them; a buffer that leaves the area is E_FAULT."""
    evidence = case.run(calls)
    for program, pid, _, status in ended(evidence):
        expect_status(case, evidence, program, pid, status, "A call ended it.")
        low, top = stack_of_case(case)
        more = support.note(evidence, "constants")
        for n in (n for n in notes_of(case, evidence, pid) if n.what in "pg"):
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
                seen=f"It returned {n.result}.",
                cause="area_fault is also asked for the kernel (user_page_query): then "
                "the address stands in CR2, and the frame has no more than vector, "
                "error and CS.",
                hint="Use read_cr2() and frame->error, nothing else of the frame.",
                read=HEADER,
            )
    case.fact("calls", True)


def stack_of_case(case: Case) -> tuple[int, int]:
    values = support.of(case)
    top = values["USER_STACK_TOP"]
    return top - values["STACK_BYTES"], top


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


def expect_all_free(case: Case, evidence: Evidence) -> None:
    word = "I" if case.arch == "i386" else "Q"
    counts = support.array(evidence, "scenario_free_counts", "I", 2)
    rows = support.array(evidence, "scenario_free", 2 * word, 2 * RANGES)
    before, after = (
        sum(size for _, size in rows[part * RANGES :][: counts[part][0]])
        for part in range(2)
    )
    case.expect(
        before == after,
        expected="As many frames are free at the end as at the begin.",
        seen=f"{before - after} are missing.",
        cause="A page that came on demand is not in the tree that ends with the "
        "process.",
        read=HEADER,
    )


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


@check("memory-grub", boots=(grub,), needs=("demand-stack",))
def test_grub(case: Case) -> None:
    """The same programs when GRUB has booted the kernel."""
    with support.only_by_grub():
        evidence = case.run(grub)
        for program, pid, _, status in ended(evidence):
            expect_status(
                case, evidence, program, pid, status, "It touched its memory."
            )
