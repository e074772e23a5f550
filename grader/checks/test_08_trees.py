# SPDX-License-Identifier: MIT
"""08-address-spaces: the trees themselves, walked from outside."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.record import Evidence
from grader.checks.spaces import (
    EXEC,
    HEADER,
    PAGE,
    READ_PAGES,
    UNMAP,
    WRITE,
    Page,
    Script,
    expect_large,
    free_pages,
    kernel_root,
    kernel_view,
    shown,
    tables_of,
    user_pages,
    walk,
    words,
)
from grader.evidence import paging
from grader.machine import Boot

E_INVAL, E_NOMEM = -1, -2
SPACES = 3


@boot("trees")
def trees(plan: Plan) -> Boot:
    """Three spaces with pages at the same and at other addresses; some go again."""
    script, rng, values = Script(plan), plan.rng(), support.of(plan)
    base, end = values["USER_BASE"], values["USER_END"]
    both = user_pages(rng, plan, 10)
    rights = (0, WRITE, EXEC, WRITE | EXEC)
    pages = [Page(base, 0, WRITE), Page(end - PAGE, 1, 0)]
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
        Page(taken.va, taken.space, WRITE, why="a frame is mapped there already"),
        Page(values["KERNEL_BASE"], 2, WRITE, why="it is the kernel's"),
    ]
    rng.shuffle(wrong)
    gone = rng.sample([p for p in pages if p is not taken], 6)
    absent = Page(
        pages[0].va + 4096 * PAGE, pages[0].space, UNMAP, why="nothing is there"
    )
    unmaps = [Page(p.va, p.space, UNMAP) for p in gone]
    again = [Page(gone[0].va, gone[0].space, WRITE)]
    foreign = Page(values["KERNEL_BASE"], 0, UNMAP, why="it is the kernel's")
    script.add(*pages, *wrong, *unmaps, absent, foreign, *again)
    return script.boot("spaces-map", *support.hexadecimal(spaces=SPACES))


@boot("short")
def short(plan: Plan) -> Boot:
    return Script(plan).boot("spaces-short")


@boot("destroy")
def destroy(plan: Plan) -> Boot:
    """Spaces that are filled and destroyed, and one that stays."""
    script, rng = Script(plan), plan.rng()
    values = support.of(plan)
    count = rng.randrange(3, 5)
    for space in range(count - 1):
        for va in user_pages(rng, plan, 20):
            script.add(Page(va, space, rng.choice((0, WRITE, EXEC))))
    # Where a space has its first and its last page.
    script.add(Page(values["USER_BASE"], 0, 0))
    script.add(Page(values["USER_END"] - PAGE, 0, 0))
    stays = user_pages(rng, plan, 6)
    script.add(*(Page(va, count - 1, WRITE) for va in stays))
    plan.note("spaces", count)
    return script.boot("spaces-destroy", *support.hexadecimal(spaces=count))


def roots(case: Case, evidence: Evidence, count: int = SPACES) -> list[int]:
    return words(case, evidence, "scenario_roots", count)


@check("space-kernel", boots=(trees,))
def test_kernel(case: Case) -> None:
    """A new space maps the kernel as its own tree does, by the same tables, and nothing
    of it is ring 3's; page 0 and the guard pages are absent in it too."""
    evidence = case.run(trees)
    base = support.of(case)["USER_BASE"]
    own = kernel_root(evidence)
    want = kernel_view(evidence, own, base)
    guard = support.address_of(evidence, "boot_stack_guard")
    for number, root in enumerate(roots(case, evidence)):
        have = kernel_view(evidence, root, base)
        at = next((n for n, p in enumerate(zip(have, want)) if p[0] != p[1]), 0)
        case.expect(
            have == want,
            expected=f"Space {number} says of the kernel's addresses what the tree of "
            f"paging_kernel_root() says: {len(want)} parts.",
            seen=f"It has {len(have)} parts"
            + (
                f"; of {have[at][0]:#x}: {shown(walk(evidence, root, have[at][0]))}."
                if at < len(have)
                else "."
            ),
            cause="Entries of the kernel's were left out, made anew with other rights, "
            "or got the user bit; or an entry above USER_BASE was copied as well.",
            hint="Copy the topmost entries that serve addresses below USER_BASE, as "
            "they are. On x86_64 these are in two tables.",
            read=HEADER,
        )
        for va, what in ((0, "page 0"), (guard, "the guard page below the boot stack")):
            found = walk(evidence, root, va)
            case.expect(
                not found.present,
                expected=f"In space {number} {what} is absent.",
                seen=f"The page tables say: {shown(found)}.",
                cause="It was mapped when the space was made.",
                read=HEADER,
            )
        a, b = (walk(evidence, r, values_kernel(case)).entries[-1] for r in (own, root))
        case.expect(
            a.pa == b.pa,
            expected="The kernel's page tables are shared: a change in one is a change "
            "in all.",
            seen=f"The entry for {values_kernel(case):#x} stands at {a.pa:#x} in the "
            f"kernel's tree, at {b.pa:#x} in space {number}.",
            cause="The tables were copied. A guard page that the kernel makes later "
            "would be there in some spaces only.",
            hint="Copy entries that name tables, not the tables.",
            read=HEADER,
        )
    case.fact("kernel", [list(part) for part in want if part[0]])


def values_kernel(case: Case) -> int:
    return support.of(case)["KERNEL_BASE"]


@check("space-create-short", boots=(short,))
def test_short(case: Case) -> None:
    """Without a frame space_create gives 0 and keeps none, and space_map E_NOMEM."""
    evidence = case.run(short)
    made, mapped = words(case, evidence, "scenario_short", 2)
    case.expect(
        made == 0,
        expected="space_create returns 0 when no frame is left for its tables.",
        seen=f"It returned {made:#x}.",
        cause="What frame_alloc returned was used before anybody looked at it.",
        read=HEADER,
    )
    before, after = (free_pages(case, evidence, when) for when in (0, 2))
    lost = len(before - after)
    case.expect(
        not lost,
        expected="A frame that a failed space_create took is free again.",
        seen=f"{lost} are not.",
        cause="The first table is kept when there is no frame for the second.",
        hint="Free what you have, then return 0.",
        read=HEADER,
    )
    bits = 8 * support.word_bytes(case.arch)
    case.expect(
        mapped == (1 << bits) + E_NOMEM,
        expected="space_map returns E_NOMEM when no frame is left for a table.",
        seen=f"It returned {mapped - (1 << bits) if mapped >> bits - 1 else mapped}.",
        cause="A table at address 0 was used as if it were one.",
        read=HEADER,
    )
    case.fact("short", True)


@check("space-map", boots=(trees,), needs=("space-kernel",))
def test_map(case: Case) -> None:
    """space_map makes exactly the page visible that it is asked for, with the rights
    asked for, on every level, in spaces that nobody uses, and refuses the rest."""
    evidence = case.run(trees)
    pages: list[Page] = support.note(evidence, "pages")
    answers = words(case, evidence, "scenario_answers", len(pages))
    frames = words(case, evidence, "scenario_frames", len(pages))
    want = expected_pages(pages, frames)
    bits = 8 * support.word_bytes(case.arch)
    for page, answer in zip(pages, answers):
        if page.rights & UNMAP:
            continue
        value = answer - (1 << bits) if answer >> bits - 1 else answer
        must = E_INVAL if page.why else 0
        case.expect(
            value == must,
            expected=f"space_map for {page.va:#x} returns "
            + (f"E_INVAL: {page.why}." if page.why else "E_OK."),
            seen=f"It returned {value}.",
            cause="The address is looked at too late, or not at all."
            if page.why
            else "It is a free page of ring 3, yet it was refused.",
            read=HEADER,
        )
    for space, root in enumerate(roots(case, evidence)):
        for va, (frame, rights) in sorted(want[space].items()):
            expect_page(case, evidence, root, va, frame, rights)
    case.fact("pages", [sorted(part) for part in want])


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


def expect_page(
    case: Case, evidence: Evidence, root: int, va: int, frame: int, rights: int
) -> None:
    """One page of a space, as the CPU would see it."""
    found = walk(evidence, root, va)
    expect_large(case, found)
    case.expect(
        found.pa == frame and found.user,
        expected=f"In the space at {root:#x} ring 3 sees the frame {frame:#x} at "
        f"{va:#x}.",
        seen=f"The page tables say: {shown(found)}.",
        cause="A level lacks the user bit, names another table, or was overwritten by "
        "a later call."
        if found.present
        else "A table on the way is absent: it was made in another tree, the one that "
        "CR3 names perhaps.",
        hint="Start at root_pa; every table is readable at its physical address.",
        read=READ_PAGES,
    )
    case.expect(
        found.writable == bool(rights & WRITE),
        expected=f"{va:#x} is {'writable' if rights & WRITE else 'read-only'}.",
        seen=f"The page tables say: {shown(found)}.",
        cause="Level 1 decides; the levels above allow everything.",
        read=READ_PAGES,
    )
    if case.arch == "x86_64":
        case.expect(
            found.executable == bool(rights & EXEC),
            expected=f"{va:#x} is {'' if rights & EXEC else 'not '}to execute.",
            seen=f"The page tables say: {shown(found)}.",
            cause="The bit that forbids execution (XD) belongs at level 1, in each "
            "page that was not asked for with SPACE_EXEC.",
            hint="paging_no_execute() is that bit.",
            read=READ_PAGES,
        )


@check("space-apart", boots=(trees,), needs=("space-map",))
def test_apart(case: Case) -> None:
    """What is mapped in one space is in no other, and no table serves two of them."""
    evidence = case.run(trees)
    pages: list[Page] = support.note(evidence, "pages")
    frames = words(case, evidence, "scenario_frames", len(pages))
    want = expected_pages(pages, frames)
    base = support.of(case)["USER_BASE"]
    owners: dict[int, int] = {}
    for space, root in enumerate(roots(case, evidence)):
        have = {
            va
            for part in paging.user_ranges(evidence.ram, root, case.arch)
            for va in range(part.start, min(part.end, part.start + (1 << 24)), PAGE)
        }
        more = sorted(have - set(want[space]))
        case.expect(
            not more,
            expected=f"Ring 3 sees {len(want[space])} pages in space {space}.",
            seen=f"It sees {len(more)} more"
            + (f", the first at {more[0]:#x}." if more else "."),
            cause="They were mapped for another space, or never: two trees share a "
            "table that is not the kernel's.",
            hint="Every table above USER_BASE comes from frame_alloc, for one space.",
            read=READ_PAGES,
        )
        for table in tables_of(evidence, root, base):
            owner = owners.setdefault(table, space)
            case.expect(
                owner == space,
                expected="Each table above USER_BASE belongs to one space.",
                seen=f"The one at {table * PAGE:#x} serves spaces {owner} and {space}.",
                cause="An entry was copied where a table of its own belongs.",
                read=HEADER,
            )
    own = [
        p
        for p in paging.ranges(evidence.ram, kernel_root(evidence), case.arch)
        if p.end > base
    ]
    case.expect(
        not own,
        expected="The kernel's own tree has nothing above USER_BASE.",
        seen=f"It has {own[0] if own else ''}.",
        cause="The page was mapped in the tree that CR3 names, instead of the one that "
        "was asked for.",
        read=HEADER,
    )
    case.fact("tables", len(owners))


@check("space-unmap", boots=(trees,), needs=("space-map",))
def test_unmap(case: Case) -> None:
    """space_unmap takes exactly that page out and returns its frame, and 0 where there
    was none; the place is free for another frame."""
    evidence = case.run(trees)
    pages: list[Page] = support.note(evidence, "pages")
    answers = words(case, evidence, "scenario_answers", len(pages))
    frames = words(case, evidence, "scenario_frames", len(pages))
    now: dict[tuple[int, int], int] = {}
    for page, answer, frame in zip(pages, answers, frames):
        where = page.space, page.va
        if not page.rights & UNMAP:
            if not page.why:
                now[where] = frame
            continue
        want = now.pop(where, 0)
        case.expect(
            answer == want,
            expected=f"space_unmap for {page.va:#x} in space {page.space} returns "
            + (f"the frame {want:#x}." if want else f"0: {page.why}."),
            seen=f"It returned {answer:#x}.",
            cause="The frame is in the entry, without the bits around it (PTE_ADDRESS)."
            if want
            else "The entry is absent, or not ring 3's: nothing can be taken out.",
            read=HEADER,
        )
        found = walk(evidence, roots(case, evidence)[page.space], page.va)
        if where not in [(p.space, p.va) for p in pages[pages.index(page) + 1 :]]:
            case.expect(
                not found.user or page.va < support.of(case)["USER_BASE"],
                expected=f"Ring 3 sees nothing at {page.va:#x} any more.",
                seen=f"The page tables say: {shown(found)}.",
                cause="The entry was not cleared.",
                read=HEADER,
            )
    case.fact("unmapped", len(now))


@check("space-destroy", boots=(destroy,), needs=("space-map",))
def test_destroy(case: Case) -> None:
    """space_destroy gives back every page and every table of the space, and none of
    the kernel's or of another space."""
    evidence = case.run(destroy)
    before, between, after = (free_pages(case, evidence, when) for when in range(3))
    count = support.note(evidence, "spaces")
    pages: list[Page] = support.note(evidence, "pages")
    frames = words(case, evidence, "scenario_frames", len(pages))
    stays = {f // PAGE for p, f in zip(pages, frames) if p.space == count - 1}
    root = roots(case, evidence, count)[-1]
    base = support.of(case)["USER_BASE"]
    stays |= tables_of(evidence, root, base)
    gone = {f // PAGE for p, f in zip(pages, frames) if p.space != count - 1}
    lost = sorted(before - after - stays)
    pages_lost = [frame for frame in lost if frame in gone]
    case.expect(
        not lost,
        expected=f"All {len(before - between - stays)} frames of the spaces that ended "
        "are free again.",
        seen=f"{len(lost)} are not: {len(pages_lost)} pages of ring 3, "
        f"{len(lost) - len(pages_lost)} tables.",
        cause="The tables themselves are frames too, on each level, and so is the root."
        if not pages_lost
        else "The walk ends too early: not every entry of every table was visited.",
        hint="First what an entry names, then the table that the entry stands in.",
        read=HEADER,
    )
    taken = sorted(stays & after)
    case.expect(
        not taken,
        expected="Nothing of the space that lives on is free.",
        seen=f"{len(taken)} frames of it are.",
        cause="A table of another space was freed, or one that both share.",
        read=HEADER,
    )
    want = kernel_view(evidence, kernel_root(evidence), base)
    case.expect(
        kernel_view(evidence, root, base) == want and len(want) > 1,
        expected="The kernel is mapped as before, in its own tree and in the space "
        "that lives on.",
        seen="It is not.",
        cause="The kernel's page tables were taken for the space's own, and changed.",
        read=HEADER,
    )
    for page, frame in zip(pages, frames):
        if page.space == count - 1:
            expect_page(case, evidence, root, page.va, frame, page.rights)
    case.fact("destroyed", len(before - between - stays))
