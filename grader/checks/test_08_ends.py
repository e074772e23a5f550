# SPDX-License-Identifier: MIT
"""08-address-spaces: pages and spaces that go, and what the CPU remembers of them."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, CheckFailed, Plan, boot, check
from grader.checks.maps import lay_open
from grader.checks.record import unexpected_end
from grader.checks.space_boots import expected_pages, refused, roots, unmapped
from grader.checks.spaces import (
    EXEC,
    HEADER,
    PAGE,
    UNMAP,
    WRITE,
    Page,
    Script,
    expect_kernel,
    expect_page,
    free_pages,
    shown,
    signed,
    tables_of,
    user_pages,
    walk,
    want_kernel,
    words,
)
from grader.evidence.instruction import PF
from grader.machine import Boot, End

READ_TLB = 'SDM 3A "Invalidation of TLBs and Paging-Structure Caches" (4.10.4)'


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


@check("space-unmap", boots=(unmapped, refused), needs=("space-map",))
def test_unmap(case: Case) -> None:
    """space_unmap takes exactly that page out and returns its frame, and 0 where there
    was none; the place is free for another frame."""
    evidence = case.run(unmapped)
    lay_open(case, evidence)
    pages: list[Page] = support.note(evidence, "pages")
    answers = words(case, evidence, "scenario_answers", len(pages))
    frames = words(case, evidence, "scenario_frames", len(pages))
    now: dict[tuple[int, int], int] = {}
    out: set[tuple[int, int]] = set()
    for page, answer, frame in zip(pages, answers, frames):
        where = page.space, page.va
        if page.rights & UNMAP:
            out.add(where)
            expect_unmapped(case, page, answer, now.pop(where, 0))
            continue
        now[where] = frame
        case.expect(
            where not in out or signed(case, answer) == 0,
            expected=f"After space_unmap, space_map for {page.va:#x} returns E_OK.",
            seen=f"It returned {signed(case, answer)}.",
            cause="The page that was here is to be gone: space_unmap was called for "
            "it, with this root_pa.",
            read=HEADER,
        )
    at = roots(case, evidence)
    for space, va in sorted(out):
        found, frame = walk(evidence, at[space], va), now.get((space, va), 0)
        case.expect(
            found.pa == frame if frame else not found.user,
            expected=f"At {va:#x} ring 3 sees "
            + (f"the new frame {frame:#x}." if frame else "nothing any more."),
            seen=f"The page tables say: {shown(found)}.",
            cause="The entry was not cleared.",
            read=HEADER,
        )
    for root, want in zip(at, expected_pages(pages, frames)):
        for va, (frame, rights) in sorted(want.items()):
            expect_page(case, evidence, root, va, frame, rights)
    gone = {a for page, a in zip(pages, answers) if page.rights & UNMAP and a}
    given = sorted(f for f in gone if f // PAGE in free_pages(case, evidence, 0))
    case.expect(
        not given,
        expected="The frames that space_unmap returns are its caller's.",
        seen=f"{len(given)} of them are free, the first {min(given, default=0):#x}.",
        cause="space_unmap has freed the frame that it returns: when its caller frees "
        "it, too, somebody else may have it.",
        read=HEADER,
    )
    expect_foreign(case)
    case.fact("unmapped", len(now))


def expect_unmapped(case: Case, page: Page, answer: int, want: int) -> None:
    """What space_unmap returns: the frame that was there, or 0."""
    case.expect(
        answer == want,
        expected=f"space_unmap for {page.va:#x} in space {page.space} returns "
        + (f"the frame {want:#x}." if want else f"0: {page.why}."),
        seen=f"It returned {answer:#x}.",
        cause=_unmap_cause(answer, want),
        read=HEADER,
    )


def _unmap_cause(answer: int, want: int) -> str:
    if not want:
        return "The entry is absent, or not ring 3's: nothing can be taken out."
    if answer:
        return "The frame is in the entry, without the bits around it (PTE_ADDRESS)."
    return (
        "It found no page where one is: the walk did not begin at root_pa, or an "
        "earlier call took out more than its own page."
    )


def expect_foreign(case: Case) -> None:
    """The kernel's pages are not space_unmap's to take out."""
    evidence = case.run(refused, ends=support.ANY_END)
    pages: list[Page] = support.note(evidence, "pages")
    made = words(case, evidence, "scenario_answered", 1)[0]
    if made == len(pages) - 1:
        case.run(refused)
    if made == len(pages):
        answer = words(case, evidence, "scenario_answers", len(pages))[-1]
        expect_unmapped(case, pages[-1], answer, 0)


@check("space-destroy", boots=(destroy,), needs=("space-map",))
def test_destroy(case: Case) -> None:
    """space_destroy gives back every page and every table of the space, and none of
    the kernel's or of another space."""
    evidence = case.run(destroy, ends=(End.DONE, End.PANIC))
    if evidence.run.end is End.PANIC:
        failed = unexpected_end(evidence)
        if isinstance(failed, CheckFailed):
            failed.hint += (
                " What space_destroy frees is the space's own, and each frame once: "
                "nothing of the kernel's, nor of the tree that CR3 names."
            )
        raise failed
    before, between, after = (free_pages(case, evidence, when) for when in range(3))
    count = support.note(evidence, "spaces")
    pages: list[Page] = support.note(evidence, "pages")
    frames = words(case, evidence, "scenario_frames", len(pages))
    stays = {f // PAGE for p, f in zip(pages, frames) if p.space == count - 1}
    root = roots(case, evidence, count)[-1]
    base = support.of(case)["USER_BASE"]
    stays |= tables_of(evidence, root, base)
    gone = {f // PAGE: p.va for p, f in zip(pages, frames) if p.space != count - 1}
    lost = sorted(before - after - stays)
    pages_lost = [gone[frame] for frame in lost if frame in gone]
    case.expect(
        not lost,
        expected=f"All {len(before - between - stays)} frames of the spaces that ended "
        "are free again.",
        seen=f"{len(lost)} are not: {len(pages_lost)} pages of ring 3, "
        f"{len(lost) - len(pages_lost)} tables.",
        cause=_lost_cause(pages_lost, len(lost) - len(pages_lost)),
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


def _lost_cause(pages: list[int], tables: int) -> str:
    """Why frames of a space are lost: these pages, and so many tables."""
    if not pages:
        return (
            "The tables themselves are frames too, on each level, and so is the root."
        )
    early = f"The walk ends too early: it does not come to the page {min(pages):#x}"
    return early + (", nor to all tables." if tables else ".")


@check("space-stale", boots=(stale,), needs=("space-kernel",))
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
