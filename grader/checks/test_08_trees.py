# SPDX-License-Identifier: MIT
"""08-address-spaces: the trees themselves, walked from outside."""

from __future__ import annotations

from grader.checks import exhibits, support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.record import Evidence
from grader.checks.spaces import (
    EXEC,
    HEADER,
    LONG,
    PAGE,
    READ_PAGES,
    UNMAP,
    WRITE,
    Page,
    Script,
    expect_large,
    expect_none_lost,
    free_pages,
    kernel_root,
    kernel_view,
    shown,
    signed,
    tables_of,
    user_pages,
    walk,
    words,
)
from grader.evidence import paging
from grader.machine import Boot, End

E_INVAL, E_NOMEM, PF = -1, -2, 14
READ_TLB = 'SDM 3A "Invalidation of TLBs and Paging-Structure Caches" (4.10.4)'
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
    used = {p.va for p in pages}
    nowhere = [va for va in user_pages(rng, plan, 60) if va not in used]
    near = [va + PAGE for va in used if va + PAGE not in used and va + PAGE < end]
    absent = [
        Page(va, pages[0].space, UNMAP, why="nothing is there")
        for va in (nowhere[0], near[0])
    ]
    unmaps = [Page(p.va, p.space, UNMAP) for p in gone]
    again = [Page(gone[0].va, gone[0].space, WRITE)]
    foreign = Page(values["KERNEL_BASE"], 0, UNMAP, why="it is the kernel's")
    script.add(*pages, *wrong, *unmaps, *absent, foreign, *again)
    own = plan.note(
        "own", [va for va in user_pages(rng, plan, 60) if va not in used][0]
    )
    return script.boot("spaces-map", *support.hexadecimal(spaces=SPACES, own=own))


@boot("created")
def created(plan: Plan) -> Boot:
    """Nothing but three new spaces; the kernel's own tree has a page of ring 3."""
    own = plan.note("own", user_pages(plan.rng(), plan, 1)[0])
    return plan.boot("spaces-map", *support.hexadecimal(spaces=SPACES, own=own))


@boot("create-short")
def create_short(plan: Plan) -> Boot:
    return plan.boot("spaces-create-short", limits=LONG)


@boot("map-short")
def map_short(plan: Plan) -> Boot:
    """A page whose walk has no entry in common with what space_create made."""
    va = support.of(plan)["USER_END"] - plan.rng().randrange(1, 200) * PAGE
    words = support.hexadecimal(va=plan.note("va", va))
    return plan.boot("spaces-map-short", *words, limits=LONG)


@boot("stale")
def stale(plan: Plan) -> Boot:
    """A page that the kernel reads under the space's tree, and that is taken away."""
    rng = plan.rng()
    va = plan.note("va", user_pages(rng, plan, 1)[0])
    key = plan.note("key", rng.getrandbits(30) + 1)
    return plan.boot("spaces-stale", *support.hexadecimal(va=va, key=key))


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


@check("space-kernel", boots=(created,))
def test_kernel(case: Case) -> None:
    """A new space maps the kernel as its own tree does, by the same tables, and nothing
    of it is ring 3's; page 0 and the guard pages are absent in it too, and from
    USER_BASE on everything."""
    evidence = case.run(created)
    base = support.of(case)["USER_BASE"]
    guard = support.address_of(evidence, "boot_stack_guard")
    for number, root in enumerate(roots(case, evidence)):
        what = f"space {number}"
        expect_kernel(case, evidence, root, what)
        for va, name in ((0, "page 0"), (guard, "the guard page below the boot stack")):
            found = walk(evidence, root, va)
            case.expect(
                not found.present,
                expected=f"In {what} {name} is absent.",
                seen=f"The page tables say: {shown(found)}.",
                cause="It was mapped when the space was made.",
                read=HEADER,
            )
        more = [
            part
            for part in paging.ranges(evidence.ram, root, case.arch)
            if part.end > base
        ]
        case.expect(
            not more,
            expected=f"From USER_BASE ({base:#x}) on nothing is mapped in {what}, "
            "which is new.",
            seen=f"It has {more[0] if more else ''}.",
            cause="All entries of the kernel's tree were copied, also those of ring "
            "3's addresses: with them a page that was once mapped there comes along.",
            hint="Copy the entries below USER_BASE, and no other.",
            read=HEADER,
        )
    case.fact("kernel", [list(part) for part in want_kernel(case, evidence)])


def want_kernel(
    case: Case, evidence: Evidence
) -> list[tuple[int, int, int, bool, bool]]:
    """What the kernel's own tree says of its addresses."""
    base = support.of(case)["USER_BASE"]
    return kernel_view(evidence, kernel_root(evidence), base)


def expect_kernel(case: Case, evidence: Evidence, root: int, what: str) -> None:
    """The tree maps the kernel as its own one does, by the very same tables."""
    own, at = kernel_root(evidence), support.of(case)["KERNEL_BASE"]
    want = want_kernel(case, evidence)
    have = kernel_view(evidence, root, support.of(case)["USER_BASE"])
    differs = [n for n, pair in enumerate(zip(have, want)) if pair[0] != pair[1]]
    part = differs[0] if differs else min(len(have), len(want))
    va = (want + have[len(want) :] + [(0, 0, 0, False, False)])[part][0]
    found, should = walk(evidence, root, va), walk(evidence, own, va)
    case.expect(
        have == want,
        expected=f"{what.capitalize()} says of the kernel's address {va:#x} what the "
        f"tree of paging_kernel_root() says: {shown(should)}.",
        seen=f"{shown(found)}." if found.entries else "Nothing can be read there.",
        cause=_kernel_cause(found, should),
        hint="The topmost entries that serve addresses below USER_BASE name the "
        "kernel's tables: copy them as they are. On x86_64 the first entry of two "
        "tables leads there.",
        read=HEADER,
    )
    mine, its = (walk(evidence, r, at).entries[-1] for r in (root, own))
    case.expect(
        mine.pa == its.pa,
        expected="The kernel's page tables are shared: a change in one is a change in "
        "all.",
        seen=f"The entry for {at:#x} stands at {its.pa:#x} in the kernel's tree, at "
        f"{mine.pa:#x} in {what}.",
        cause="The tables were copied. A guard page that the kernel makes later would "
        "be there in some spaces only.",
        hint="Copy entries that name tables, not the tables.",
        read=HEADER,
    )


def _kernel_cause(found: paging.Walk, should: paging.Walk) -> str:
    if should.present and not found.present:
        return (
            "A part of the kernel is missing. With this tree in CR3 the CPU would not "
            "find its next instruction, nor the handler of the fault: a triple fault."
        )
    if found.user and not should.user:
        return "The user bit is set on every level: ring 3 can use the kernel's pages."
    if should.writable and not found.writable:
        return "An entry above level 1 lacks PTE_WRITE: the kernel cannot write there."
    return "The entries were made anew, with other rights or other frames."


@check("space-create-short", boots=(create_short,))
def test_short(case: Case) -> None:
    """When frames are short space_create gives 0 and keeps none."""
    evidence = case.run(create_short)
    made = words(case, evidence, "scenario_short", 2)
    for number, root in enumerate(made):
        left = ("no frame is left", "one frame is left, and it needs two")[number]
        case.expect(
            root == 0,
            expected=f"space_create returns 0 when {left}.",
            seen=f"It returned {root:#x}.",
            cause="What frame_alloc returned was used before anybody looked at it.",
            hint="Each frame_alloc can return 0.",
            read=HEADER,
        )
    why = "The first table is kept when there is no frame for the second."
    expect_none_lost(case, evidence, 0, 2, "space_create", why)
    case.fact("short", made)


@check("space-map", boots=(trees, map_short), needs=("space-kernel",))
def test_map(case: Case) -> None:
    """space_map makes exactly the page visible that it is asked for, with the rights
    asked for, on every level, in spaces that nobody uses; it refuses what it must, and
    tells when there is no frame for a table."""
    evidence = case.run(trees)
    pages: list[Page] = support.note(evidence, "pages")
    answers = words(case, evidence, "scenario_answers", len(pages))
    frames = words(case, evidence, "scenario_frames", len(pages))
    want = expected_pages(pages, frames)
    for page, answer in zip(pages, answers):
        if page.rights & UNMAP:
            continue
        value = signed(case, answer)
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
    expect_short(case)
    case.fact("pages", [sorted(part) for part in want])


def expect_short(case: Case) -> None:
    """E_NOMEM as long as one of the tables on the way cannot be had."""
    evidence = case.run(map_short)
    levels = 2 if case.arch == "i386" else 4
    for frames, answer in enumerate(words(case, evidence, "scenario_short", levels)):
        must = E_NOMEM if frames < levels - 1 else 0
        case.expect(
            signed(case, answer) == must,
            expected=f"space_map for {support.note(evidence, 'va'):#x} returns "
            f"{'E_NOMEM' if must else 'E_OK'} when {frames} frames are left: the way "
            f"there has {levels - 1} new tables.",
            seen=f"It returned {signed(case, answer)}.",
            cause="A table at address 0 was used as if it were one: what frame_alloc "
            "returns can be 0, on each level."
            if must
            else "It took more frames than tables, or lost one that it could not use.",
            read=HEADER,
        )


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
    exhibits.walk(case, found, write=bool(rights & WRITE))
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
        expect_kernel(case, evidence, root, f"space {space}")
    only = support.note(evidence, "own")
    own = [
        p
        for p in paging.ranges(evidence.ram, kernel_root(evidence), case.arch)
        if p.end > base and (p.start, p.end) != (only, only + PAGE)
    ]
    case.expect(
        not own,
        expected=f"The kernel's own tree has its one page at {only:#x} and nothing "
        "else above USER_BASE.",
        seen=f"It has {own[0] if own else ''}.",
        cause="The page was mapped in the tree that CR3 names, instead of the one that "
        "was asked for; or a table is shared.",
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
        later = pages[pages.index(page) + 1 :]
        if where not in [(p.space, p.va) for p in later if not p.rights & UNMAP]:
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
    case.expect(
        len(want_kernel(case, evidence)) > 1,
        expected="The kernel is mapped as before in its own tree.",
        seen="It is not.",
        cause="The kernel's page tables were taken for the space's own, and changed.",
        read=HEADER,
    )
    expect_kernel(case, evidence, root, "the space that lives on")
    for page, frame in zip(pages, frames):
        if page.space == count - 1:
            expect_page(case, evidence, root, page.va, frame, page.rights)
    case.fact("destroyed", len(before - between - stays))


@check("space-stale", boots=(stale,))
def test_stale(case: Case) -> None:
    """A page that is taken out is gone at once, for the CPU as well: another one at its
    address is seen, and behind the last one comes a page fault, whatever the CPU had
    remembered."""
    evidence = case.run(stale, ends=(End.DONE, End.PANIC))
    va, key = support.note(evidence, "va"), support.note(evidence, "key")
    read = words(case, evidence, "scenario_read_words", 3)
    ((count,),) = support.array(evidence, "scenario_reads", "I", 1)
    symbol = evidence.symbols.get("scenario_read")
    if symbol is None:
        raise LookupError("the image has no symbol scenario_read")
    inside = range(symbol.address, symbol.address + symbol.size)
    faults = [e for e in support.interrupts(evidence) if e.fault]
    last = faults[-1] if faults else None
    case.expect(
        count >= 2 and read[0] == key,
        expected=f"The kernel reads the word at {va:#x}, under the space's tree, and "
        "then that of the frame which came in its place.",
        seen=f"It read {count} times, and {support.show(last)}."
        if last
        else f"It read {read[0]:#x} instead of {key:#x}.",
        cause="The page is not mapped where space_map was told to, or space_unmap did "
        "not come back.",
        read=HEADER,
    )
    cause = (
        "The entry is changed, but the CPU goes on with the translation that it has "
        "cached: whoever reads there still sees a frame that belongs to somebody else."
    )
    case.expect(
        read[1] == key + 1,
        expected=f"When another frame is mapped at {va:#x}, its word {key + 1:#x} is "
        "read there.",
        seen=f"It was {read[1]:#x}"
        + (", that of the frame before." if read[1] == key else "."),
        cause=cause,
        hint="tlb_flush_page(va) whenever a present entry has changed.",
        read=READ_TLB,
    )
    case.expect(
        count == 2
        and last is not None
        and (last.v, last.e, last.cr2, last.cpl) == (PF, 0, va, 0)
        and last.pc in inside,
        expected=f"#PF with error code 0 and CR2 {va:#x}, where {va:#x} is read after "
        "it was unmapped.",
        seen=f"{support.show(last)}."
        if last
        else f"It read {read[2]:#x}, as if the page were still there.",
        cause=cause,
        hint="tlb_flush_page(va) whenever a present entry has changed.",
        read=READ_TLB,
    )
    case.fact("stale", [count, read[1] - key])
