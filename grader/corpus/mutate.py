# SPDX-License-Identifier: MIT
"""Changes the reference in every place by every operator: what passes all checks."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from grader.corpus.operators import changes
from grader.corpus.trial import FAILED, Corpus, Entry, Trial
from grader.course import Stage
from grader.verdict.model import Status, Verdict


@dataclass(frozen=True)
class Candidate(Entry):
    """The reference with one place of one gap file changed."""

    gap: str
    what: str
    text: str

    def lay_out(self, root: Path, src: Path) -> str:
        target = src / self.stage
        shutil.copytree(root / "solutions" / self.stage, target)
        (target / self.gap).write_text(self.text, encoding="utf-8")
        return ""

    def judge(self, verdict: Verdict) -> Trial:
        """Good if a check fails: then the change is no candidate for a survivor."""
        failed = [c for c in verdict.checks if c.status in FAILED]
        if not failed:
            return self.trial(verdict, "survived", False, f"{self.gap}: {self.what}")
        if all(c.status is Status.BUILD_ERROR for c in failed):
            return self.trial(verdict, "not compiled", True, "")
        detail = f"{self.gap}: {self.what}"
        said = "; ".join(dict.fromkeys(c.cause or c.seen for c in failed))
        return self.trial(verdict, "killed", True, f"{detail}: {said}")


def find(folder: Path, stage: Stage) -> list[Candidate]:
    """Every change of every gap file below folder/<stage>, once if it is generic."""
    found: dict[tuple[str, str], Candidate] = {}
    for arch in stage.arches:
        for gap in stage.gaps(arch):
            file = folder / stage.id / gap
            changed = changes(file.read_text("utf-8"), gap.endswith((".asm", ".inc")))
            for number, change in enumerate(changed):
                name = f"{gap.replace('/', '-')}-{number:03}-{change.name}"
                entry = (stage.id, name, arch, gap, change.what, change.text)
                found[name, arch] = Candidate(*entry)
    return list(found.values())


MUTATE = Corpus("mutate", find, "solutions")
