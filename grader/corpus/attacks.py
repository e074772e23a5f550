# SPDX-License-Identifier: MIT
"""Hostile submissions: each is contained, and its verdict says what happened."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from grader.corpus.header import Header
from grader.corpus.submissions import Cheat, cheat_of, folders
from grader.corpus.trial import Corpus, Trial, missing
from grader.course import Stage
from grader.sandbox import Tier, detect
from grader.verdict.model import Verdict

HERE = "@ROOT@"  # in gap files: where the repository lies
REPORT = "contained.json"
CPU_S = 15.0
# What a terminal or a CI system would obey: control characters, and its own words.
STEERS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|^\s*::", re.M
)


@dataclass(frozen=True)
class Attack(Cheat):
    """A submission that goes for the grader, or for whoever runs it.

    make: what a shell does in its folder to make what git cannot hold. archive: what is
    handed in, beside that folder; "": the folder. cpu_s: what all of it may cost.
    """

    make: str
    archive: str
    cpu_s: float

    def lay_out(self, root: Path, src: Path) -> str:
        home = src.with_name("handed") if self.archive else src
        src.mkdir(parents=True)
        said = super().lay_out(root, home)
        target = home / self.stage
        for path in target.rglob("*"):
            if path.is_file():
                text = path.read_bytes()
                path.write_bytes(text.replace(HERE.encode(), os.fsencode(root)))
        if said or not self.make:
            return said
        place = {"PATH": os.environ["PATH"], "ROOT": str(root), "HOME": str(home)}
        done = subprocess.run(
            ["sh", "-euc", self.make],
            cwd=target,
            env=place,
            capture_output=True,
            text=True,
            check=False,
        )
        return f"Make: {done.stderr.strip()}" if done.returncode else ""

    def command(self, words: list[str], out: Path) -> list[str]:
        archive = str(out / "handed" / self.archive) if self.archive else ""
        contain = [sys.executable, "-m", "grader.corpus.contain", str(out / REPORT)]
        graded = [word for word in words if word != "--verdicts-only"]
        return [*contain, str(out / "src"), archive, *graded]

    def ungraded(self, said: str) -> Trial:
        """An archive may be refused before anything of it is graded."""
        who = (self.stage, self.name, self.arch)
        unsaid = missing(self.says, [said])
        if not self.archive or unsaid:
            return super().ungraded(said)
        return Trial(*who, "refused", True)

    def contained(self, trial: Trial, out: Path, printed: str) -> Trial:
        found = json.loads((out / REPORT).read_text(encoding="utf-8"))
        for kind in ("processes", "files"):
            if found[kind]:
                return trial.bad("escaped", f"{kind}: {', '.join(found[kind])[:300]}")
        if found["cpu_s"] > self.cpu_s:
            used = f"{found['cpu_s']:.1f} s of CPU time, not {self.cpu_s:g}"
            return trial.bad("too dear", used)
        steers = STEERS.search(printed)
        return trial.bad("steers", repr(steers[0])) if steers else trial

    def judge(self, verdict: Verdict) -> Trial:
        trial = super().judge(verdict)
        if verdict.sandbox != detect().tier.value:
            return trial.bad("wrong tier", f"the verdict names tier {verdict.sandbox}")
        return trial


KEYS = ("Tries", "Rest", "Meets", "Says", "Why", "Make", "Archive", "Tiers", "Costs")


def tiers(header: Header) -> tuple[str, ...]:
    """The tiers that hold it; without `Tiers:`, all."""
    known = tuple(tier.value for tier in Tier)
    named = header.names("Tiers") or known
    if not set(named) <= set(known):
        raise header.fault(f"Tiers: {' '.join(named)}", f"use {' '.join(known)}")
    return named


def find_attacks(folder: Path, stage: Stage) -> list[Attack]:
    """Those that the tier of this run holds."""
    found = []
    for each, header in folders(folder, stage, *KEYS):
        if not (header.text("Says") and header.text("Tries")):
            raise header.fault("Tries: or Says: is missing", "add it")
        if detect().tier.value not in tiers(header):
            continue
        how = (header.text("Make"), header.text("Archive"))
        cpu_s = float(header.text("Costs") or CPU_S)
        for cheat in cheat_of(each, header, stage):
            found.append(
                Attack(**vars(cheat), make=how[0], archive=how[1], cpu_s=cpu_s)
            )
    return found


ATTACKS = Corpus("attacks", find_attacks, "grader/attacks")
