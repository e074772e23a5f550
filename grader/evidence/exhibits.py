# SPDX-License-Identifier: MIT
"""What to lay open about a chain of faults: the entries that the CPU objected to."""

from __future__ import annotations

from dataclasses import replace
from typing import Iterator, Optional, Sequence

from grader.evidence import decoded, iret, paging
from grader.evidence.exhibit import Exhibit, Row
from grader.evidence.instruction import GP, NP, PF, SS, TS, fetches, null, overflow
from grader.evidence.load import TI, Load, loaded
from grader.evidence.registers import Registers
from grader.evidence.scene import Scene, vector_name
from grader.evidence.trace import NO_EXCEPTION, Interrupt

DF = 0x08
SYSCALL = 0x80
EXT, IDT = 1, 2  # of an error code: outside event; the index is one of the IDT
_BEFORE_BYTES = 512
KERNELS_OWN = "Mapped to itself: a page of the kernel's, closed to ring 3 on purpose."
_BEFORE = 3  # instructions shown before the one that faulted


def of_chain(
    scene: Scene, chain: Sequence[Interrupt], *, triple: bool
) -> tuple[Exhibit, ...]:
    """Entries with something wrong first, then the chain, the code, the rest."""
    first = chain[0]
    entries = list(_entries(scene, chain, triple))
    if any(event.v == DF for event in chain):
        # Whatever the first fault was, here it could have been survived.
        end = list(_double_fault(scene, first))
        entries = [e for e in end if _wrong(e)] + entries
        entries += [e for e in end if not _wrong(e)]
    wrong = [e for e in entries if _wrong(e)]
    sound = [e for e in entries if not _wrong(e)]
    steps = [_steps(chain, triple)] if triple or len(chain) > 1 else []
    code = _code(scene, first)
    return (*wrong, *steps, *([code] if code else []), *sound)


def _wrong(exhibit: Exhibit) -> bool:
    return any(row.differs for row in exhibit.rows)


def of_task(scene: Scene, regs: Registers) -> tuple[Exhibit, ...]:
    """TR and the TSS that it names."""
    return tuple(_task(scene, regs))


def hidden(event: Interrupt) -> Optional[int]:
    """The fault that only the #DF's check_exception line names."""
    if event.v == DF and event.checked and event.new not in (None, DF, NO_EXCEPTION):
        return event.new
    return None


def _entries(
    scene: Scene, chain: Sequence[Interrupt], triple: bool
) -> Iterator[Exhibit]:
    first = chain[0]
    if first.fault:
        yield from _raised(scene, first)
    if len(chain) > 1 or triple:
        yield from _delivery(scene, first, chain[1:])


def _raised(scene: Scene, event: Interrupt) -> Iterator[Exhibit]:
    """What the instruction itself used."""
    regs = event.regs
    if event.v not in (GP, NP, SS, TS, PF) or null(event) or overflow(scene, event):
        return
    instruction = scene.instruction(regs, event.pc)
    name = "" if instruction is None else instruction.mnemonic
    if event.v == PF:
        yield from _walk(scene, event, event.cr2)
    elif name in iret.MNEMONICS:
        frame = iret.frame_of(scene, regs, event.sp, name)
        if frame.whole and not frame.of_kernel:
            yield iret.exhibit(frame)
        if frame.whole and not frame.narrow and not iret.disorder(frame):
            for selector, code in ((frame.cs, True), (frame.ss, False)):
                found = scene.descriptor(regs, selector)
                # The kernel's own segment is right as it is: the selector is not.
                if selector & 3 or found is not None and found.dpl:
                    yield from _segment(scene, event, selector, code=code, ring=3)
    elif event.e & IDT:
        yield from _gate(scene, event, event.e >> 3 & 0xFF, user=bool(event.i))
    elif event.e & 0xFFF8:
        selector = loaded(scene, event).selector
        if selector & TI:
            want: decoded.Want = {"TI": 0}
            yield decoded.selector(f"The selector {selector:#06x}", selector, want)
        elif name == "ltr":
            yield from _tss_descriptor(scene, regs, selector, loaded=False)
        else:
            yield from _used(scene, event, loaded(scene, event))


def _used(scene: Scene, event: Interrupt, load: Load) -> Iterator[Exhibit]:
    """The segment that `mov`, `pop` or a far jump names; its ring by who asks."""
    if load.register == "ss" or load.register == "cs":
        ring = event.cpl
    elif load.register:
        ring = max(event.cpl, load.selector & 3)
    else:
        return
    code = load.register == "cs"
    yield from _segment(scene, event, load.selector, code=code, ring=ring)


def _segment(
    scene: Scene, event: Interrupt, selector: int, *, code: bool, ring: int
) -> Iterator[Exhibit]:
    found = scene.descriptor(event.regs, selector)
    if found is None or found.empty:
        return
    title = f"Descriptor {selector >> 3} of the GDT, which {selector:#06x} names"
    want = decoded.segment_wanted(code=code, dpl=ring, wide=scene.wide(event.regs))
    yield decoded.segment(title, found, want)


def _walk(scene: Scene, event: Interrupt, address: int) -> Iterator[Exhibit]:
    found = scene.walk(event.regs, address)
    if found is None:
        return
    error = event.e
    fetch = bool(error & paging.PF_I) or fetches(event.regs, event)
    title = f"The page walk of {address:#x} ({paging.error_code(error, fetch)})"
    if error & paging.PF_U and found.pa == address:
        shown = decoded.walk(title, found, user=False, write=False, fetch=False)
        yield replace(shown, note=f"{shown.note} {KERNELS_OWN}")
        return
    user, write = bool(error & paging.PF_U), bool(error & paging.PF_W)
    yield decoded.walk(title, found, user=user, write=write, fetch=fetch)


def _delivery(
    scene: Scene, first: Interrupt, rest: Sequence[Interrupt]
) -> Iterator[Exhibit]:
    """What the CPU reads to enter the handler of `first`."""
    regs = first.regs
    yield from _gate(scene, first, first.v, user=bool(first.i and first.cpl == 3))
    gate = scene.gate(regs, first.v)
    if gate is not None and gate.p and gate.type != decoded.TASK_GATE:
        code = _segment(scene, first, gate.selector, code=True, ring=0)
        yield from filter(_wrong, code)
    if first.cpl == 3:
        yield from _task(scene, regs)
    if rest and rest[0].v == PF:
        yield from _walk(scene, rest[0], rest[0].cr2)


def _gate(
    scene: Scene, event: Interrupt, vector: int, *, user: bool
) -> Iterator[Exhibit]:
    regs = event.regs
    found = scene.gate(regs, vector)
    if found is None or decimal(scene, regs, vector):
        return
    code = scene.selector_of(regs, code=True, ring=0)
    dpl: decoded.Wanted = "0, unless ring 3 may call it with `int`"
    if user:
        dpl = 3 if vector == SYSCALL else decoded.Wrong("3, if ring 3 may call it")
    kinds: decoded.Wanted = (decoded.INTERRUPT_GATE, decoded.TRAP_GATE)
    if vector == DF and not scene.wide(regs):
        kinds = (decoded.TASK_GATE, decoded.INTERRUPT_GATE, decoded.TRAP_GATE)
    selector: decoded.Wanted = "the kernel's code" if code is None else code
    if found.type == decoded.TASK_GATE:
        selector = "a TSS of its own"
    want = decoded.gate_wanted(dpl=dpl, code=selector, kind=kinds)
    title = f"Entry {vector:#04x} of the IDT"
    yield decoded.gate(title, found, want, wide=scene.wide(regs))


def decimal(scene: Scene, regs: Registers, vector: int) -> bool:
    """The gate of the system calls was written to entry 80, not to 0x80."""
    gates = [scene.gate(regs, number) for number in (SYSCALL, 80)]
    mine, other = (0 if gate is None else gate.p * gate.dpl for gate in gates)
    return vector == SYSCALL and mine < other == 3


def _task(scene: Scene, regs: Registers) -> Iterator[Exhibit]:
    """The TSS that gives the stack of ring 0, and its descriptor."""
    task = regs.segments.get("TR")
    if task is None:
        return
    if task.selector & 0xFFFC == 0:
        slot: decoded.Want = {"index": decoded.Wrong("the slot of the TSS")}
        note = "`ltr` was not executed, or with a null selector."
        yield decoded.selector("TR, the task register", task.selector, slot, note)
        return
    yield from _tss_descriptor(scene, regs, task.selector, loaded=True)
    found = scene.tss(regs)
    if found is None:
        return
    data = scene.selector_of(regs, code=False, ring=0)
    want: dict[str, decoded.Wanted] = {"ss0": "" if data is None else data}
    name = "rsp0" if found.wide else "esp0"
    want[name] = _top(scene, regs, found.stack0, found.wide)
    yield decoded.tss(f"The TSS at {task.base:#x}, which TR names", found, want)


def _tss_descriptor(
    scene: Scene, regs: Registers, selector: int, *, loaded: bool
) -> Iterator[Exhibit]:
    found = scene.tss_at(regs, selector)
    if found is None:
        return
    want = decoded.tss_wanted(loaded=loaded)
    title = f"Descriptor {selector >> 3} of the GDT, which {selector:#06x} names"
    yield decoded.tss_descriptor(title, found, want, wide=scene.wide(regs))


def _double_fault(scene: Scene, event: Interrupt) -> Iterator[Exhibit]:
    """The way out of a chain: the gate of #DF, and the task behind it."""
    regs = event.regs
    if event.v != DF:
        yield from _gate(scene, event, DF, user=False)
    gate = scene.gate(regs, DF)
    if gate is not None and gate.ist:
        yield from _ist(scene, regs, gate.ist)
    if gate is None or gate.type != decoded.TASK_GATE or scene.wide(regs):
        return
    # The switch that failed may have set the busy bit.
    yield from _tss_descriptor(scene, regs, gate.selector, loaded=True)
    task = scene.tss_at(regs, gate.selector)
    found = None if task is None else scene.tss_read(regs, task.base)
    running = regs.segments.get("TR")
    own = running is None or running.selector & ~3 != gate.selector & ~3
    if task is None or found is None or not own:
        return
    code = scene.selector_of(regs, code=True, ring=0)
    data = scene.selector_of(regs, code=False, ring=0)
    want: dict[str, decoded.Wanted] = {
        "cr3": regs.get("CR3", 0),
        "eip": "the address of the handler",
        "esp": _top(scene, regs, dict(found.saved).get("esp", 0), False),
        "cs": "the kernel's code" if code is None else code,
        "ss": "the kernel's data" if data is None else data,
        "ds": "the kernel's data" if data is None else data,
    }
    yield decoded.tss(f"The TSS at {task.base:#x}, of the #DF task", found, want)


def _ist(scene: Scene, regs: Registers, slot: int) -> Iterator[Exhibit]:
    """The TSS with the stack that a gate names by its IST slot."""
    task, found = regs.segments.get("TR"), scene.tss(regs)
    if task is None or found is None or slot > len(found.ist):
        return
    top = _top(scene, regs, found.ist[slot - 1], found.wide)
    title = f"The TSS at {task.base:#x}, whose IST slot {slot} the gate names"
    yield decoded.tss(title, found, {f"ist{slot}": top})


def _top(scene: Scene, regs: Registers, top: int, wide: bool) -> str:
    """What a stack pointer in a TSS should be; marked if a push would fault."""
    below = top - 4 & (1 << (64 if wide else 32)) - 1
    walk = scene.walk(regs, below)
    text = "the top of a mapped kernel stack"
    lost = walk is not None and not walk.writable
    return decoded.Wrong(text) if lost else text


CHAIN_COLUMNS = ("step", "what", "error code", "CPL", "at", "why")


def _steps(chain: Sequence[Interrupt], triple: bool) -> Exhibit:
    """The chain as ordered steps, the fault that a #DF hides too."""
    rows: list[tuple[str, ...]] = []
    for position, event in enumerate(chain):
        under = hidden(event)
        if under is not None and (not rows or event.new != chain[-1].v):
            name = vector_name(under)
            why = "met while the one before was delivered"
            rows.append((name, "", str(event.cpl), f"{event.pc:#x}", why))
        why = "raised by the instruction"
        if rows:
            why = _because(event, chain[position - 1])
        if event.hardware or event.i:
            name = f"hardware interrupt {event.v:#04x}"
            name = f"`int {event.v:#x}`" if event.i else name
            why = "raised by a device" if event.hardware else why
        else:
            name = vector_name(event.v)
        coded = event.v in (DF, TS, NP, SS, GP, PF) and event.fault
        error = f"{event.e:#06x}" if coded else ""
        if event.v == PF and event.fault:
            words = paging.error_code(event.e, fetches(event.regs, event))
            why = f"{words}: {event.cr2:#x}"
        rows.append((name, error, str(event.cpl), f"{event.pc:#x}", why))
    if triple:
        rows.append(("triple fault", "", "", "", "#DF could not be delivered: reset"))
    numbered = (Row((str(n), *cells)) for n, cells in enumerate(rows, 1))
    return Exhibit("chain", "The chain of faults", CHAIN_COLUMNS, tuple(numbered))


def _because(event: Interrupt, before: Interrupt) -> str:
    if event.v == DF:
        return "two faults on top of each other"
    if event.e & IDT:
        return f"the gate of vector {before.v:#04x} refused"
    if event.e & 0xFFF8:
        return f"the selector {event.e & 0xFFFC:#06x} refused"
    return "met while the one before was delivered"


CODE_COLUMNS = ("address", "bytes", "instruction", "place")


def _code(scene: Scene, event: Interrupt) -> Optional[Exhibit]:
    """The instruction that faulted, and those before it in the same function."""
    regs, pc = event.regs, event.pc
    last = scene.instruction(regs, pc)
    if last is None:
        return None
    found = [last]
    place = scene.place(pc)
    if place is not None and 0 < place.offset <= _BEFORE_BYTES:
        before = scene.listing(regs, pc - place.offset, pc)
        found = [*before[-_BEFORE:], last]
    rows = tuple(
        Row(
            (f"{one.address:#x}", one.code.hex(" "), str(one), scene.line(one.address)),
            one is last,
        )
        for one in found
    )
    name = f" in {place.function}" if place is not None else ""
    title = f"The instruction{name} that raised it, the last of these"
    if len(rows) == 1:
        title = f"The instruction{name} that raised it"
    return Exhibit("code", title, CODE_COLUMNS, rows)
