# SPDX-License-Identifier: MIT
"""Wrong solutions: does each fail the checks it must, for the right reason."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from grader.corpus import patch as patches
from grader.corpus.header import Header
from grader.corpus.trial import FAILED, Corpus, Entry, Trial, missing
from grader.course import Stage
from grader.verdict.model import Status, Verdict

KEYS = ("Arch", "Fails", "May", "Says", "Why", "Survives")
ALL = "all"


@dataclass(frozen=True)
class Mutant(Entry):
    """A wrong solution: the patch, and the verdict that it must get.

    fails: ids of exactly those checks that must fail, or "all". may: ids of those that
    fail with some seeds only. says: words that must all occur in what the checks that
    must fail tell. survives: why the patch changes nothing.
    """

    patch: Path
    fails: tuple[str, ...]
    may: tuple[str, ...]
    says: tuple[str, ...]
    survives: str

    def lay_out(self, root: Path, src: Path) -> str:
        """The reference, patched."""
        target, home = src / self.stage, f"solutions/{self.stage}"
        shutil.copytree(root / home, target)
        return patches.apply(self.patch, target, home)

    def judge(self, verdict: Verdict) -> Trial:
        failed = {c.id for c in verdict.checks if c.status in FAILED}
        if self.survives:
            if all(c.status is Status.PASS for c in verdict.checks):
                return self.trial(verdict, "survived", True, self.survives)
            return self.trial(verdict, "killed", False, "it is stated to survive")
        stated = ", ".join(self.fails)
        if not failed:
            return self.trial(verdict, "survived", False, f"nothing of {stated} fails")
        named = {c.id for c in verdict.checks} if ALL in self.fails else {*self.fails}
        if not named <= failed <= named | {*self.may}:
            return self.trial(verdict, "wrong checks", False, f"stated: {stated}")
        told = [c.explanation() for c in verdict.checks if c.id in named]
        unsaid = missing(self.says, told + [m.text for m in verdict.messages])
        if unsaid:
            detail = f"never says {', '.join(unsaid)}"
            return self.trial(verdict, "wrongly explained", False, detail)
        return self.trial(verdict, "killed", True, "")


def read(patch: Path, stage: Stage) -> list[Mutant]:
    """The mutants of a patch, one for each architecture in its header."""
    header = Header(patch, KEYS)
    fails, survives = header.checks("Fails", stage, ALL), header.text("Survives")
    if bool(fails) == bool(survives):
        raise header.fault("neither or both of Fails: and Survives:", "give one")
    may, says = header.checks("May", stage), header.words("Says")
    if fails and not (says and header.text("Why")):
        raise header.fault("Says: or Why: is missing", "add it to the header")
    return [
        Mutant(stage.id, patch.stem, arch, patch, fails, may, says, survives)
        for arch in header.arches(stage)
    ]


def find(folder: Path, stage: Stage) -> list[Mutant]:
    patches = sorted((folder / stage.id).glob("*.patch"))
    return [mutant for patch in patches for mutant in read(patch, stage)]


MUTANTS = Corpus("mutants", find, "grader/mutants")
