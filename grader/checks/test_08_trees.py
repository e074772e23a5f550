# SPDX-License-Identifier: MIT
"""08-address-spaces: the trees themselves, walked from outside."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.maps import lay_open
from grader.checks.space_boots import (
    MAPPED,
    SPACES,
    expected_pages,
    refused,
    roots,
    trees,
)
from grader.checks.spaces import (
    HEADER,
    LEVELS,
    LONG,
    PAGE,
    READ_PAGES,
    UNMAP,
    Page,
    expect_kernel,
    expect_none_lost,
    expect_page,
    expect_tree,
    free_pages,
    kernel_root,
    shown,
    signed,
    tables_of,
    user_pages,
    walk,
    want_kernel,
    words,
)
from grader.evidence import paging
from grader.machine import Boot

E_INVAL, E_NOMEM = -1, -2


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
        case.expect(
            0 < root < support.of(case)["IDENTITY_END"],
            expected="space_create returns the address of the topmost table of "
            f"{what}.",
            seen=f"It returned {root:#x}." if root else "It returned none.",
            cause="It never came back to its caller, or what it returned is no frame.",
            read=HEADER,
        )
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


@check("space-create-short", boots=(create_short,))
def test_short(case: Case) -> None:
    """When frames are short space_create gives 0 and keeps none."""
    evidence = case.run(create_short)
    made = words(case, evidence, "scenario_short", 2 if case.arch == "x86_64" else 1)
    before, none = (free_pages(case, evidence, when) for when in range(2))
    case.expect(
        before and not none,
        expected="The scenario takes every frame before it asks for a space.",
        seen="It did not come to that.",
        cause="The first space_create, with frames enough, did not return to it.",
        read=HEADER,
    )
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


@check("space-map", boots=(trees,), needs=("space-kernel",))
def test_map(case: Case) -> None:
    """space_map makes exactly the page visible that it is asked for, with the rights
    asked for, on every level, in spaces that nobody uses."""
    evidence = case.run(trees)
    pages: list[Page] = support.note(evidence, "pages")
    answers = words(case, evidence, "scenario_answers", len(pages))
    for number, (page, answer) in enumerate(zip(pages, answers)):
        case.expect(
            signed(case, answer) == 0,
            expected=f"space_map for {page.va:#x} returns E_OK.",
            seen=f"It returned {signed(case, answer)}.",
            cause=_answer_cause(page, pages[:number]),
            read=HEADER,
        )
    frames = words(case, evidence, "scenario_frames", len(pages))
    want = expected_pages(pages, frames)
    for space, root in enumerate(roots(case, evidence)):
        for va, (frame, rights) in sorted(want[space].items()):
            expect_page(case, evidence, root, va, frame, rights)
    case.fact("pages", [sorted(part) for part in want])


@check("space-refuse", boots=(refused, map_short), needs=("space-map",))
def test_refuse(case: Case) -> None:
    """space_map refuses addresses that are not ring 3's, that are no page's, and that
    are taken, and tells when there is no frame for a table."""
    evidence = case.run(refused, ends=support.ANY_END)
    pages: list[Page] = support.note(evidence, "pages")
    made = words(case, evidence, "scenario_answered", 1)[0]
    answers = words(case, evidence, "scenario_answers", len(pages))
    for page, answer in list(zip(pages, answers))[:made]:
        if page.why and not page.rights & UNMAP:
            case.expect(
                signed(case, answer) == E_INVAL,
                expected=f"space_map for {page.va:#x} returns E_INVAL: {page.why}.",
                seen=f"It returned {signed(case, answer)}.",
                cause="The entry at level 1 is overwritten without a look at its P bit."
                if page.why == MAPPED
                else "The address is looked at too late, or not at all.",
                read=HEADER,
            )
    if made < len(pages) - 1:  # the last one is space_unmap's
        case.run(refused)
    frames = words(case, evidence, "scenario_frames", 1)
    root = roots(case, evidence, 1)[0]
    expect_page(case, evidence, root, pages[0].va, frames[0], pages[0].rights)
    case.fact("short", expect_short(case))


def _answer_cause(page: Page, before: list[Page]) -> str:
    """Why space_map refused what it must take."""
    if any(p.va == page.va and p.space != page.space for p in before):
        return (
            "It is a free page of ring 3 in this space, and another space has one "
            "there: both calls went to one tree, or the two trees share a table."
        )
    return "It is a free page of ring 3, yet it was refused."


def expect_short(case: Case) -> list[int]:
    """E_NOMEM as long as one of the tables on the way cannot be had; the answers."""
    evidence = case.run(map_short)
    levels = LEVELS[case.arch]
    answers = words(case, evidence, "scenario_short", levels)
    for frames, answer in enumerate(answers):
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
    return answers


@check("space-apart", boots=(trees,), needs=("space-map",))
def test_apart(case: Case) -> None:
    """What is mapped in one space is in no other, and no table serves two of them."""
    evidence = case.run(trees)
    lay_open(case, evidence)
    pages: list[Page] = support.note(evidence, "pages")
    frames = words(case, evidence, "scenario_frames", len(pages))
    want = expected_pages(pages, frames)
    base = support.of(case)["USER_BASE"]
    owners: dict[int, int] = {}
    for space, root in enumerate(roots(case, evidence)):
        expect_tree(case, evidence, root)
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
