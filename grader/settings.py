# SPDX-License-Identifier: MIT
"""What is graded, from where, with which seed: A, ARCH, SRC, PRIOR, SEED, OUT."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from grader import seed as seeds
from grader.course import Course, Stage
from grader.errors import OperatorError

ROOT = Path(__file__).resolve().parent.parent
OUT = Path("build/grade")


def cpus() -> int:
    """How many this process may use: a container's host can have many more."""
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Settings:
    """One grading run. `src` and `prior` are laid out as <folder>/<stage>/<path>.

    parallel: how many builds and boots there are at once.
    """

    course: Course
    stages: tuple[Stage, ...]
    arches: tuple[str, ...]
    src: Path
    prior: Path
    seed: int
    out: Path
    parallel: int = field(default_factory=cpus)

    def pairs(self) -> list[tuple[str, Stage]]:
        """What gets a verdict: every stage on every architecture it is offered for."""
        return [(a, s) for a in self.arches for s in self.stages if a in s.arches]

    def located(self, text: str, stage: str) -> str:
        """`text` with each gap file in it, such as 01-gdt/gdt.c, as it is opened from
        here; stage: whose kernel the text is about."""

        def place(found: re.Match[str]) -> str:
            folder = self.src if found[1] == stage else self.prior
            return f"{near(folder / found[1])}/"

        ids = "|".join(re.escape(one.id) for one in self.course.stages)
        return re.sub(rf"(?<![\w/.-])({ids})/(?=\w)", place, text)

    def command(self, arch: str, stage: str) -> str:
        """The command that repeats the run of one stage."""
        words = [f"A={stage}", f"ARCH={arch}", f"SEED={seeds.show(self.seed)}"]
        words.append(f"SRC={near(self.src)}")
        if self.prior != self.src:
            words.append(f"PRIOR={near(self.prior)}")
        return "make grade " + " ".join(shlex.quote(word) for word in words)


def resolve(
    course: Course,
    *,
    stages: str | None = None,
    arches: str | None = None,
    src: str | None = None,
    prior: str | None = None,
    seed: str | None = None,
    out: str | None = None,
) -> Settings:
    """The settings that the operator's words mean; empty and None are the defaults."""
    chosen = tuple(course.stage(s) for s in _words(stages)) or course.stages
    wanted = tuple(_words(arches)) or course.arches
    for arch in wanted:
        if arch not in course.arches:
            known = ", ".join(course.arches)
            raise OperatorError(
                f"there is no architecture {arch!r}", f"choose ARCH from {known}"
            )
    src_folder = _folder(course, src or _default_src(course), "SRC")
    prior_folder = _folder(course, prior, "PRIOR") if prior else src_folder
    settings = Settings(
        course=course,
        stages=tuple(sorted(set(chosen), key=lambda s: s.order)),
        arches=tuple(arch for arch in course.arches if arch in wanted),
        src=src_folder,
        prior=prior_folder,
        seed=seeds.parse(seed) if seed else seeds.draw(),
        out=Path(os.path.abspath(out or course.root / OUT)),
    )
    _complete(settings)
    return settings


def _words(text: str | None) -> list[str]:
    return (text or "").replace(",", " ").split()


def _default_src(course: Course) -> str:
    reference = course.root / "solutions"
    return str(reference if reference.is_dir() else course.root / "assignments")


def _folder(course: Course, text: str, name: str) -> Path:
    """SRC or PRIOR as given; a repository root stands for its assignments/."""
    folder = Path(os.path.abspath(text))
    if not folder.is_dir():
        state = "is no folder" if folder.exists() else "does not exist"
        raise OperatorError(
            f"{name}={text} {state}",
            f"give a folder laid out as {name}/<stage>/<file>, or a repository's root",
        )
    here = any((folder / stage.id).is_dir() for stage in course.stages)
    if not here and (folder / "assignments").is_dir():
        return folder / "assignments"
    return folder


def _complete(settings: Settings) -> None:
    """Every stage that is needed must have its folder, in SRC or in PRIOR."""
    if not settings.pairs():
        names = ", ".join(stage.id for stage in settings.stages)
        offered = sorted({a for s in settings.stages for a in s.arches})
        raise OperatorError(
            f"{names} is not offered for {', '.join(settings.arches)}",
            f"choose ARCH from {', '.join(offered)}",
        )
    for stage in settings.stages:
        if not (settings.src / stage.id).is_dir():
            raise OperatorError(
                f"SRC={near(settings.src)} has no folder {stage.id}",
                f"put its files into SRC/{stage.id}/, or choose other stages with A",
            )
        for earlier in settings.course.upto(stage)[:-1]:
            if not (settings.prior / earlier.id).is_dir():
                raise OperatorError(
                    f"{stage.id} needs the earlier stage {earlier.id}, and "
                    f"PRIOR={near(settings.prior)} has no such folder",
                    "give PRIOR=<folder> with the earlier stages (default: SRC)",
                )


def near(path: Path) -> str:
    """`path` as short as it can be typed in the current folder."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
