# SPDX-License-Identifier: MIT
"""The boot of 08 that several checks judge: pages of three spaces that nobody uses."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, Plan, boot
from grader.checks.maps import draw_spaces
from grader.checks.record import Evidence
from grader.checks.spaces import (
    EXEC,
    PAGE,
    UNMAP,
    WRITE,
    Page,
    Script,
    user_pages,
    words,
)
from grader.machine import Boot

SPACES = 3
MAPPED = "a frame is mapped there already"


@boot("trees")
def trees(plan: Plan) -> Boot:
    """Three spaces with pages at the same and at other addresses."""
    pages, edges = _draw(plan)
    return _boot(plan, [*pages, *edges])


@boot("unmapped")
def unmapped(plan: Plan) -> Boot:
    """The same, and some of the pages go again."""
    pages, edges = _draw(plan)
    base, end = (support.of(plan)[name] for name in ("USER_BASE", "USER_END"))
    used, rng = {p.va for p in (*pages, *edges)}, plan.rng()
    nowhere = next(va for va in user_pages(rng, plan, 60) if va not in used)
    near = next(va + PAGE for va in used if va + PAGE not in used and va + PAGE < end)
    absent = [
        Page(va, pages[0].space, UNMAP, why="nothing is there")
        for va in (nowhere, near)
    ]
    # A space that loses its first page and its last, and keeps a neighbour in the same
    # table.
    leave = [Page(va, SPACES - 1, 0) for va in (base, end - PAGE)]
    gone = rng.sample(pages, 6)
    out = [Page(p.va, p.space, UNMAP) for p in (*gone, *leave)]
    again = Page(gone[0].va, gone[0].space, WRITE)
    return _boot(plan, [*leave, *edges, *pages, *out, *absent, again])


def _draw(plan: Plan) -> tuple[list[Page], list[Page]]:
    """Pages in any of the spaces, and such at the edges: the first of all, the last."""
    rng, values = plan.rng(), support.of(plan)
    base, end = values["USER_BASE"], values["USER_END"]
    rights = (0, WRITE, EXEC, WRITE | EXEC)
    edges = [Page(va, space, WRITE) for space, va in enumerate((base, end - PAGE))]
    edges.append(Page(base + PAGE, SPACES - 1, WRITE))
    both = user_pages(rng, plan, 10)
    pages = [
        Page(va, space, rng.choice(rights))
        for va in both
        for space in rng.sample(range(SPACES), rng.randrange(1, SPACES + 1))
    ]
    pages += [
        Page(va, rng.randrange(SPACES), rng.choice(rights))
        for va in user_pages(rng, plan, 24)
        if va not in both
    ]
    at_edge = {base, base + PAGE, end - PAGE}
    pages = [p for p in pages if p.va not in at_edge]
    rng.shuffle(pages)
    return pages, edges


def _boot(plan: Plan, pages: list[Page]) -> Boot:
    """These calls, and a page of the kernel's own tree that no space has."""
    script, used = Script(plan), {page.va for page in pages}
    script.add(*pages)
    drawn = user_pages(plan.rng(), plan, 60)
    own = plan.note("own", next(va for va in drawn if va not in used))
    draw_spaces(plan, (f"space {number}" for number in range(SPACES)))
    return script.boot("spaces-map", *support.hexadecimal(spaces=SPACES, own=own))


@boot("refused")
def refused(plan: Plan) -> Boot:
    """What no call may do: the kernel may not live to see the end of it if one does."""
    script, rng, values = Script(plan), plan.rng(), support.of(plan)
    base, end = values["USER_BASE"], values["USER_END"]
    taken, inside = user_pages(rng, plan, 2)
    wrong = [
        Page(base - PAGE, 0, WRITE, why="it lies below USER_BASE"),
        Page(end, 0, 0, why="it lies at USER_END"),
        Page(inside + 8, 0, 0, why="it is no address of a page"),
        Page(taken, 0, WRITE, why=MAPPED),
        Page(values["KERNEL_BASE"], 0, WRITE, why="it is the kernel's"),
    ]
    rng.shuffle(wrong)
    foreign = Page(values["KERNEL_BASE"], 0, UNMAP, why="it is the kernel's")
    script.add(Page(taken, 0, 0), *wrong, foreign)
    own = plan.note("own", user_pages(rng, plan, 1)[0])
    return script.boot("spaces-map", *support.hexadecimal(spaces=1, own=own))


def roots(case: Case, evidence: Evidence, count: int = SPACES) -> list[int]:
    return words(case, evidence, "scenario_roots", count)


def expected_pages(
    pages: list[Page], frames: list[int]
) -> list[dict[int, tuple[int, int]]]:
    """By space: page -> its frame and rights, of the pages that are never taken out."""
    out = {(page.space, page.va) for page in pages if page.rights & UNMAP}
    want: list[dict[int, tuple[int, int]]] = [{} for _ in range(SPACES)]
    for page, frame in zip(pages, frames):
        if (page.space, page.va) not in out:
            want[page.space][page.va] = frame, page.rights
    return want
