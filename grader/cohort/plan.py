# SPDX-License-Identifier: MIT
"""What there is to grade: an item a submission, stage, architecture and carry-over.

The key of an item covers all that its verdict depends on: the gap files, the grader's
own files, the core, the tools, the tier, the seed. An item whose key has a current
result is not graded again; whatever changes the grader changes every key.

The seed of an item is derived from the run's and from what was handed in. Not one seed
for all: a verdict tells its seed, so that a student can repeat the run; with one for
all that would tell the values of the next run of the same class too, and code could
carry the answers. As it is, other files are asked other values. It is as fair: a
verdict does not depend on the seed (`make soak` holds the grader to that), the same
files get the same seed, and a regrade after a mend of the grader asks the same values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader import seed as seeds
from grader.build.image import feed
from grader.cohort.model import Carry, HandedIn, Item
from grader.cohort.store import Result
from grader.course import Course, Stage
from grader.tools import sandbox_tier, versions

# Of the grader: what judges, and not what shows, distributes, or proves it.
JUDGES = ("grader", "user", "assignments", "solutions")
APART = (
    "grader/bench grader/cohort grader/corpus grader/diff grader/doctor grader/intake"
    " grader/mutants grader/new grader/publish grader/redteam grader/reports"
    " grader/tests grader/variants grader/attacks"
).split()
SOURCES = (".py", ".c", ".h", ".asm", ".inc", ".toml", ".ld", ".txt")


@dataclass(frozen=True)
class Planner:
    """Makes the items of one class run. out: absolute; seed: the run's."""

    course: Course
    out: Path
    seed: int
    carry: Carry
    grader: str

    def items(self, handed_in: HandedIn, stage: Stage, arch: str) -> Iterator[Item]:
        """One, or with Carry.BEST two, the one on the reference first."""
        both = (Carry.REFERENCE, Carry.OWN)
        for carry in both if self.carry is Carry.BEST else (self.carry,):
            yield self._item(handed_in, stage, arch, carry)

    def _item(self, handed_in: HandedIn, stage: Stage, arch: str, carry: Carry) -> Item:
        src = self.out / handed_in.src
        own = carry is Carry.OWN
        stages = self.course.upto(stage) if own else (stage,)
        content = _content(src, stages, arch)
        words = ("class", stage.id, _content(src, (stage,), arch))
        seed = seeds.show(int.from_bytes(seeds.derive(self.seed, *words)[:8], "big"))
        digest = hashlib.sha256()
        feed(digest, self.grader, stage.id, arch, carry.value, seed, content)
        feed(digest, handed_in.problem)
        return Item(
            submission=handed_in.name,
            stage=stage.id,
            arch=arch,
            carry=carry,
            key=digest.hexdigest(),
            seed=seed,
            src=str(src),
            prior=str(src if own else self.course.root / "solutions"),
        )


def open_items(items: Iterable[Item], results: Sequence[Result]) -> list[Item]:
    """Those that have no result to keep: one with this key that is scored."""
    kept = {(r.slot, r.key) for r in results if r.points is not None}
    return [item for item in items if (item.slot, item.key) not in kept]


def _content(src: Path, stages: Sequence[Stage], arch: str) -> str:
    """A digest of the frozen gap files of these stages."""
    digest = hashlib.sha256()
    for stage in stages:
        for gap in stage.gaps(arch):
            file = src / stage.id / gap
            kind = "link" if file.is_symlink() else "file" if file.is_file() else ""
            data = file.read_bytes() if kind == "file" else b""
            feed(digest, f"{stage.id}/{gap}", kind, data)
    return digest.hexdigest()


def grader_digest(course: Course, arches: Sequence[str]) -> str:
    """Of everything but the submission that a verdict depends on; the core is built."""
    root = course.root
    digest = hashlib.sha256()
    for arch in arches:
        feed(digest, (root / "build" / arch / "core.stamp").read_bytes())
    for name, version in sorted(versions(root).items()):
        feed(digest, name, version)
    feed(digest, sandbox_tier())
    for path in _judging(root):
        feed(digest, path, (root / path).read_bytes())
    return digest.hexdigest()


def _judging(root: Path) -> list[str]:
    found = []
    for top in JUDGES:
        for file in (root / top).rglob("*"):
            path = file.relative_to(root).as_posix()
            apart = any(path.startswith(f"{name}/") for name in APART)
            if file.suffix in SOURCES and not apart and file.is_file():
                found.append(path)
    return sorted(found)
