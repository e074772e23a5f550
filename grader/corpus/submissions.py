# SPDX-License-Identifier: MIT
"""Whole submissions: cheats must gain nothing, right ones must lose nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.corpus import patch as patches
from grader.corpus.header import Header
from grader.corpus.trial import Corpus, Entry, Trial, missing
from grader.course import Stage
from grader.verdict.model import Status, Verdict

ABOUT, PATCHES = "about.txt", "*.patch"
HANDOUT, REFERENCE = "assignments", "solutions"  # where absent gap files come from


@dataclass(frozen=True)
class Submission(Entry):
    """The gap files in `folder`; those that are not there come from `rest`/<stage>,
    changed by the patches in `folder`."""

    folder: Path
    rest: str

    def lay_out(self, root: Path, src: Path) -> str:
        target, home = src / self.stage, f"{self.rest}/{self.stage}"
        shutil.copytree(root / home, target)
        for patch in sorted(self.folder.glob(PATCHES)):
            fault = patches.apply(patch, target, home)
            if fault:
                return fault
        skip = shutil.ignore_patterns(ABOUT, PATCHES)
        shutil.copytree(
            self.folder, target, ignore=skip, dirs_exist_ok=True, symlinks=True
        )
        return ""


@dataclass(frozen=True)
class Cheat(Submission):
    """meets: the checks that it honestly meets, and no others may give it points."""

    meets: tuple[str, ...]
    says: tuple[str, ...]

    def judge(self, verdict: Verdict) -> Trial:
        scored = [c.id for c in verdict.checks if c.points]
        gained = [check for check in scored if check not in self.meets]
        if gained:
            return self.trial(verdict, "gained", False, f"scores {', '.join(gained)}")
        lost = [check for check in self.meets if check not in scored]
        if lost:
            detail = f"stated to meet {', '.join(lost)}"
            return self.trial(verdict, "stated too much", False, detail)
        told = [c.explanation() for c in verdict.checks]
        unsaid = missing(self.says, told + [m.text for m in verdict.messages])
        if unsaid:
            detail = f"never says {', '.join(unsaid)}"
            return self.trial(verdict, "wrongly explained", False, detail)
        return self.trial(verdict, "refused", True, "")


@dataclass(frozen=True)
class Variant(Submission):
    """A right solution: no check may fail, and only a bonus may be left open."""

    def judge(self, verdict: Verdict) -> Trial:
        for check in verdict.checks:
            left = check.bonus and check.status is Status.NOT_IMPLEMENTED
            if check.status is not Status.PASS and not left:
                detail = f"{check.id}: {check.seen or check.status.value}"
                return self.trial(verdict, "rejected", False, detail)
        return self.trial(verdict, "accepted", True, "")


def folders(folder: Path, stage: Stage, *keys: str) -> list[tuple[Path, Header]]:
    """The submissions of a stage, each with a gap file, a patch or `Make:` at least."""
    found = sorted(f for f in (folder / stage.id).glob("*") if f.is_dir())
    headers = [Header(each / ABOUT, (*keys, "Arch")) for each in found]
    for each, header in zip(found, headers):
        made = header.text("Make") or any(each.glob(PATCHES))
        if not made and not any(
            (each / gap).is_symlink() or (each / gap).exists()
            for gap in stage.all_gaps()
        ):
            gaps = ", ".join(stage.all_gaps())
            mend = f"add one of {gaps}, or a patch"
            raise header.fault("no gap file lies beside it", mend)
    return list(zip(found, headers))


def find_cheats(folder: Path, stage: Stage) -> list[Cheat]:
    cheats: list[Cheat] = []
    keys = ("Tries", "Rest", "Meets", "Says", "Why")
    for each, header in folders(folder, stage, *keys):
        cheats += cheat_of(each, header, stage)
    return cheats


def cheat_of(folder: Path, header: Header, stage: Stage) -> Iterator[Cheat]:
    """The cheat in a folder, one for each architecture in its header."""
    rest = header.text("Rest") or HANDOUT
    if rest not in (HANDOUT, REFERENCE):
        raise header.fault(f"Rest: {rest}", f"use {HANDOUT} or {REFERENCE}")
    meets, says = header.checks("Meets", stage), header.words("Says")
    for arch in header.arches(stage):
        offered = {check.id for check in stage.checks_for(arch)}
        met = tuple(check for check in meets if check in offered)
        yield Cheat(stage.id, folder.name, arch, folder, rest, met, says)


def find_variants(folder: Path, stage: Stage) -> list[Variant]:
    return [
        Variant(stage.id, each.name, arch, each, REFERENCE)
        for each, header in folders(folder, stage, "Style")
        for arch in header.arches(stage)
    ]


REDTEAM = Corpus("redteam", find_cheats, "grader/redteam")
VARIANTS = Corpus("variants", find_variants, "grader/variants")
