# SPDX-License-Identifier: MIT
"""Which address spaces of a boot are drawn: asked for in its plan, found in its run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grader.checks import support
from grader.checks.api import Case, Plan
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.evidence.address_map import AddressMap, Cell, Request, Row, draw
from grader.evidence.exhibit import Exhibit
from grader.evidence.exhibit import Row as Line
from grader.evidence.process_map import AREAS, Area, ProcessMap
from grader.evidence.process_map import draw as draw_areas

NOTE, PROCESS = "address map", "process map"
ROOTS = "scenario_roots"
LINES = 12  # of an exhibit


@dataclass(frozen=True)
class Wanted:
    """names: of the trees in scenario_roots, in order."""

    request: Request
    names: tuple[str, ...]


def draw_spaces(plan: Plan, names: Iterable[str], *watched: int) -> None:
    """Have the trees in scenario_roots drawn, which live when the boot ends.

    watched: addresses that the drawing points out.
    """
    values = support.of(plan)
    regions = (
        ("page 0", 0),
        ("low memory", support.PAGE),
        ("image, modules, frames", values["KERNEL_BASE"]),
        ("kernel heap", values["HEAP_BASE"]),
        ("kernel stacks", values["KSTACK_BASE"]),
        ("RAM for frames", values["FRAME_POOL_BASE"]),
        ("above RAM", values["IDENTITY_END"]),
    )
    request = Request(plan.arch, regions, values["USER_BASE"], watched)
    plan.note(NOTE, Wanted(request, tuple(names)))


def drawn(evidence: Evidence) -> AddressMap | None:
    """The map of a boot whose plan has asked for it."""
    wanted: Wanted | None = evidence.notes.get(NOTE)
    if wanted is None:
        return None
    word = arch_of(evidence).word
    found = support.array(evidence, ROOTS, word, len(wanted.names))
    roots = {root: name for (root,), name in zip(found, wanted.names) if root}
    return draw(evidence.ram, wanted.request, roots, support.interrupts(evidence))


def draw_process(plan: Plan) -> None:
    """Have the first process of the boot drawn, which asks the grader to stop."""
    values = support.of(plan)
    plan.note(PROCESS, (values["USER_BASE"], values["USER_STACK_TOP"]))


def drawn_process(evidence: Evidence) -> ProcessMap | None:
    """The map of a process whose boot's plan has asked for it."""
    if PROCESS not in evidence.notes:
        return None
    base, top = evidence.notes[PROCESS]
    ((root,),) = support.array(evidence, ROOTS, arch_of(evidence).word, 1)
    name = evidence.boot.modules[0].name
    found = support.array(evidence, "scenario_areas", "QQQ", AREAS)
    ((heap,),) = support.array(evidence, "scenario_heap", "Q", 1)
    areas = []
    for start, end, bits in found:
        what = "data" if bits & 1 else "constants"
        if end == top:
            what = "stack"
        elif start == heap:
            what = "heap"
        elif bits & 2:
            what = "code"
        rights = f"r{'w' if bits & 1 else '-'}{'x' if bits & 2 else '-'}"
        areas.append(Area(start, end, what, rights))
    records = support.interrupts(evidence)
    return draw_areas(evidence.ram, evidence.arch, name, root, areas, base, records)


def lay_open(case: Case, evidence: Evidence) -> None:
    """From here on a failure shows what ring 3 sees in each space."""
    case.lay_open(lambda: exhibits(drawn(evidence)))


def exhibits(found: AddressMap | None) -> list[Exhibit]:
    """The rows of ring 3 as a table, those with a frame in common marked."""
    if found is None:
        return []
    user = [row for row in found.rows if row.shared or row.cells and _of_ring3(row)]
    order = sorted(range(len(user)), key=lambda n: not user[n].shared)[:LINES]
    lines = tuple(
        Line((f"{row.start:#x}", *map(_said, row.cells)), row.shared)
        for row in (user[n] for n in sorted(order))
    )
    if not lines:
        return []
    left = len(user) - len(lines) + found.hidden
    shared = any(row.shared for row in user)
    note = "A frame in a marked row is ring 3's in another column, too. " * shared
    note += f"{left} rows are left out." if left else ""
    columns = ("address", *(tree.name for tree in found.trees))
    title = "What ring 3 sees: frame, rights, pages"
    return [Exhibit("map", title, columns, lines, note.strip())]


def _of_ring3(row: Row) -> bool:
    return any(cell.kind in ("user", "open") for cell in row.cells)


def _said(cell: Cell) -> str:
    """ "0xd05000 rw- 2"."""
    if cell.kind == "absent":
        return "-"
    frame = f"{cell.frames[0][0]:#x} " if cell.frames else ""
    return f"{frame}{cell.rights} {cell.pages}".strip()
