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
    """Three spaces with pages at the same and at other addresses; some go again."""
    script, rng, values = Script(plan), plan.rng(), support.of(plan)
    base, end = values["USER_BASE"], values["USER_END"]
    both = user_pages(rng, plan, 10)
    rights = (0, WRITE, EXEC, WRITE | EXEC)
    # The first page of all and the last one: each in a space that keeps it, whatever
    # else goes, and in one that loses it, and keeps a neighbour in the same table.
    edges = [Page(va, space, WRITE) for space, va in enumerate((base, end - PAGE))]
    edges.append(Page(base + PAGE, SPACES - 1, WRITE))
    leave = [Page(va, SPACES - 1, 0) for va in (base, end - PAGE)]
    pages = [*edges, *leave]
    for va in both:
        for space in rng.sample(range(SPACES), rng.randrange(1, SPACES + 1)):
            pages.append(Page(va, space, rng.choice(rights)))
    pages += [
        Page(va, rng.randrange(SPACES), rng.choice(rights))
        for va in user_pages(rng, plan, 24)
        if va not in both
    ]
    pages = list({(p.va, p.space): p for p in pages}.values())
    rng.shuffle(pages)
    taken = rng.choice(pages)
    wrong = [
        Page(base - PAGE, 0, WRITE, why="it lies below USER_BASE"),
        Page(end, 1, 0, why="it lies at USER_END"),
        Page(both[0] + 8, 2, 0, why="it is no address of a page"),
        Page(taken.va, taken.space, WRITE, why=MAPPED),
        Page(values["KERNEL_BASE"], 2, WRITE, why="it is the kernel's"),
    ]
    rng.shuffle(wrong)
    stays = (taken, *edges, *leave)
    gone = rng.sample([p for p in pages if p not in stays], 6)
    used = {p.va for p in pages}
    nowhere = [va for va in user_pages(rng, plan, 60) if va not in used]
    near = [va + PAGE for va in used if va + PAGE not in used and va + PAGE < end]
    absent = [
        Page(va, pages[0].space, UNMAP, why="nothing is there")
        for va in (nowhere[0], near[0])
    ]
    unmaps = [Page(p.va, p.space, UNMAP) for p in (*gone, *leave)]
    again = [Page(gone[0].va, gone[0].space, WRITE)]
    foreign = Page(values["KERNEL_BASE"], 0, UNMAP, why="it is the kernel's")
    script.add(*pages, *wrong, *unmaps, *absent, foreign, *again)
    own = plan.note(
        "own", [va for va in user_pages(rng, plan, 60) if va not in used][0]
    )
    draw_spaces(plan, (f"space {number}" for number in range(SPACES)))
    return script.boot("spaces-map", *support.hexadecimal(spaces=SPACES, own=own))


def roots(case: Case, evidence: Evidence, count: int = SPACES) -> list[int]:
    return words(case, evidence, "scenario_roots", count)


def expected_pages(
    pages: list[Page], frames: list[int]
) -> list[dict[int, tuple[int, int]]]:
    """By space: page -> its frame and rights, when all calls are through."""
    want: list[dict[int, tuple[int, int]]] = [{} for _ in range(SPACES)]
    for page, frame in zip(pages, frames):
        if page.why:
            continue
        if page.rights & UNMAP:
            want[page.space].pop(page.va, None)
        else:
            want[page.space][page.va] = frame, page.rights
    return want
