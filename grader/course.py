# SPDX-License-Identifier: MIT
"""The course: every stage's manifest (assignment.toml), read and validated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

from grader.errors import OperatorError
from grader.tables import ManifestError, Table

MANIFEST = "assignment.toml"
STAFFS = Path("grader/checks/staff")
ARCHES = ("i386", "x86_64")
COMMON = "common"
# What students see of a check of the staff's: nothing, title and result, or all of it.
NEVER, NAME, WHOLE = SHOWN = ("never", "name", "whole")
SUFFIXES = (".c", ".h", ".asm", ".inc")
STAGE_ID = re.compile(r"(\d\d)-[a-z][a-z0-9-]*")
TASK_ID = re.compile(r"(\d+)\.([1-9]\d*)")
CHECK_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SYMBOL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Task:
    """A numbered task of the sheet, such as 4.1.

    breakpoints: the functions of the contract where its work begins, for a debugger.
    """

    id: str
    title: str
    breakpoints: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckEntry:
    """What the manifest says about a check: the task it proves, and its points.

    bonus: its points come on top of the full ones, and nobody needs it to pass. staff:
    no published branch has it; shown: what students see of it, one of SHOWN, and from
    which day on (None: at once).
    """

    id: str
    task: str
    points: int
    arches: tuple[str, ...]
    bonus: bool = False
    staff: bool = False
    shown: str = WHOLE
    shown_from: date | None = None


@dataclass(frozen=True)
class Program:
    """A C program of ring 3 that the boot loader brings as an ELF file.

    source: relative to user/; args: the words behind its name.
    """

    source: str
    args: str = ""


@dataclass(frozen=True)
class Stage:
    """One stage of the course, as its manifest describes it."""

    id: str
    title: str
    order: int
    folder: Path
    tasks: tuple[Task, ...]
    checks: tuple[CheckEntry, ...]
    gap_files: Mapping[str, tuple[str, ...]] = field(hash=False)
    provides: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    modules: Mapping[str, Any] = field(default_factory=dict, hash=False)
    programs: Mapping[str, Program] = field(default_factory=dict, hash=False)

    @property
    def arches(self) -> tuple[str, ...]:
        """The architectures that the stage is offered for."""
        return tuple(arch for arch in ARCHES if arch in self.gap_files)

    def without(self, arches: Sequence[str]) -> Stage:
        """The stage as it is where these architectures are not offered."""
        gaps = {
            key: paths for key, paths in self.gap_files.items() if key not in arches
        }
        checks = tuple(
            replace(check, arches=tuple(a for a in check.arches if a not in arches))
            for check in self.checks
        )
        return replace(self, gap_files=gaps, checks=checks)

    def gaps(self, arch: str) -> tuple[str, ...]:
        """Paths of the gap files for `arch`, relative to SRC/<stage>/."""
        return self.gap_files.get(COMMON, ()) + self.gap_files[arch]

    def all_gaps(self) -> tuple[str, ...]:
        """Paths of the gap files of every architecture."""
        return tuple(path for paths in self.gap_files.values() for path in paths)

    def breakpoints(self, task: Task) -> tuple[str, ...]:
        """Where to stop for a task: what it names, or else the whole contract."""
        return task.breakpoints or self.provides

    def checks_for(self, arch: str) -> tuple[CheckEntry, ...]:
        return tuple(check for check in self.checks if arch in check.arches)

    def points(self, arch: str) -> int:
        """The full points: what there is to get without a bonus."""
        return sum(check.points for check in self.checks_for(arch) if not check.bonus)


@dataclass(frozen=True)
class Course:
    """All stages in their order. `root` is the folder that holds assignments/."""

    root: Path
    stages: tuple[Stage, ...]

    @classmethod
    def load(cls, root: Path) -> Course:
        """Read assignments/*/assignment.toml. Raises ManifestError at a fault.

        Of a course that was published for one architecture, the stages offer that one.
        """
        folder = root / "assignments"
        files = sorted(folder.glob(f"*/{MANIFEST}"))
        if not files:
            raise OperatorError(
                f"{folder} holds no stage", f"add assignments/NN-name/{MANIFEST}"
            )
        stages = sorted((_stage(file, root) for file in files), key=lambda s: s.order)
        _distinct(stages, root)
        there = {file.parent.name for file in root.glob("kernel/arch/*/flags.mk")}
        gone = [arch for arch in ARCHES if there and arch not in there]
        course = cls(root, tuple(stage.without(gone) for stage in stages))
        if not (root / STAFFS).is_dir():
            return course
        from grader.checks.staff.manifest import with_staffs

        return with_staffs(course)

    @property
    def arches(self) -> tuple[str, ...]:
        return tuple(a for a in ARCHES if any(a in s.arches for s in self.stages))

    def stage(self, stage_id: str) -> Stage:
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        known = ", ".join(stage.id for stage in self.stages)
        raise OperatorError(f"there is no stage {stage_id!r}", f"choose A from {known}")

    def upto(self, stage: Stage) -> tuple[Stage, ...]:
        """The stages whose gap files a kernel of `stage` contains, `stage` last."""
        return tuple(s for s in self.stages if s.order <= stage.order)

    def stage_of_check(self, check_id: str) -> Stage | None:
        for stage in self.stages:
            if any(check.id == check_id for check in stage.checks):
                return stage
        return None


def _distinct(stages: list[Stage], root: Path) -> None:
    orders: dict[int, Stage] = {}
    owners: dict[str, Stage] = {}
    for stage in stages:
        file = (stage.folder / MANIFEST).relative_to(root)
        other = orders.setdefault(stage.order, stage)
        if other is not stage:
            what = f"{stage.order} is also the order of {other.id}"
            raise ManifestError(file, "order", what, "give each stage its own order")
        for check in stage.checks:
            owner = owners.setdefault(check.id, stage)
            if owner is not stage:
                raise ManifestError(
                    file,
                    f"check {check.id!r}",
                    f"{owner.id} has a check of that id",
                    "choose another id",
                )


def _stage(file: Path, root: Path) -> Stage:
    top = Table.read(file, root)
    shown = top.file
    parts = ("task", "check", "gaps", "contract", "modules", "programs")
    top.known("id", "title", "order", *parts)
    stage_id = top.text("id")
    named = STAGE_ID.fullmatch(stage_id)
    if not named:
        raise top.error("id", f"{stage_id!r} is no stage id", "write NN-name, 04-ring3")
    if stage_id != file.parent.name:
        what = f"{stage_id!r} is not the folder's name"
        raise top.error("id", what, f'write id = "{file.parent.name}"')
    order = top.number("order", 0)
    if int(named[1]) != order:
        what = f"{order} does not agree with the id {stage_id}"
        raise top.error("order", what, f"write order = {int(named[1])}")
    gaps = _gaps(top.table("gaps"))
    arches = tuple(arch for arch in ARCHES if arch in gaps)
    contract = top.table("contract")
    contract.known("provides", "uses")
    for key in ("provides", "uses"):
        for word in contract.words(key):
            if not SYMBOL.fullmatch(word):
                raise contract.error(key, f"{word!r} is no C name", "write a C name")
    tasks = _tasks(top.tables("task"), order, contract.words("provides"))
    checks = _checks(top.tables("check"), tasks, arches)
    for task in tasks:
        if not any(check.task == task.id for check in checks):
            where = f"task {task.id!r}"
            mend = f'add a [[check]] with task = "{task.id}"'
            raise ManifestError(shown, where, "no check proves it", mend)
    return Stage(
        id=stage_id,
        title=top.text("title"),
        order=order,
        folder=file.parent,
        tasks=tasks,
        checks=checks,
        gap_files=gaps,
        provides=contract.words("provides"),
        uses=contract.words("uses"),
        modules=top.table("modules").data,
        programs=_programs(top.table("programs")),
    )


def _programs(table: Table) -> dict[str, Program]:
    """Lines name = "source words of the program"."""
    found: dict[str, Program] = {}
    for name in table.data:
        source, _, args = table.text(name).partition(" ")
        found[name] = Program(source, args)
    return found


def _tasks(
    tables: list[Table], order: int, provides: tuple[str, ...]
) -> tuple[Task, ...]:
    tasks: list[Task] = []
    for table in tables:
        table.known("id", "title", "breakpoints")
        task_id = table.text("id")
        named = TASK_ID.fullmatch(task_id)
        if not named or int(named[1]) != order:
            what = f"{task_id!r} is no task of this stage"
            raise table.error("id", what, f"number the tasks {order}.1, {order}.2, …")
        if any(task.id == task_id for task in tasks):
            raise table.error("id", "is used twice", "give each task its own number")
        breakpoints = table.words("breakpoints")
        for name in breakpoints:
            if name not in provides:
                what = f"{name!r} is not in [contract] provides"
                raise table.error("breakpoints", what, "name functions of the contract")
        tasks.append(Task(task_id, table.text("title"), breakpoints))
    return tuple(tasks)


def _checks(
    tables: list[Table], tasks: tuple[Task, ...], arches: tuple[str, ...]
) -> tuple[CheckEntry, ...]:
    checks = check_entries(tables, tasks, arches)
    for arch in arches:
        if all(check.bonus or arch not in check.arches for check in checks):
            what = f"on {arch} there is none, or none that is no bonus"
            raise tables[0].error("bonus", what, "add a check that counts")
    return checks


def check_entries(
    tables: list[Table],
    tasks: tuple[Task, ...],
    arches: tuple[str, ...],
    *others: str,
) -> tuple[CheckEntry, ...]:
    """The [[check]] tables; `others` are keys that the caller reads."""
    checks: list[CheckEntry] = []
    known = [task.id for task in tasks]
    for table in tables:
        table.known("id", "task", "points", "arch", "bonus", *others)
        check_id, task = table.text("id"), table.text("task")
        if not CHECK_ID.fullmatch(check_id):
            mend = "write small letters, digits and hyphens, as in gdt-limit"
            raise table.error("id", f"{check_id!r} is no check id", mend)
        if any(check.id == check_id for check in checks):
            raise table.error("id", "is used twice", "give each check its own id")
        if task not in known:
            what = f"there is no task {task!r}"
            raise table.error("task", what, f"choose from {', '.join(known)}")
        mine = table.words("arch", arches)
        for arch in mine:
            if arch not in arches:
                what = f"{arch!r} is not in [gaps]"
                raise table.error("arch", what, f"choose from {', '.join(arches)}")
        points, bonus = table.number("points", 1), table.flag("bonus")
        checks.append(CheckEntry(check_id, task, points, mine, bonus))
    return tuple(checks)


def _gaps(table: Table) -> dict[str, tuple[str, ...]]:
    table.known(COMMON, *ARCHES)
    gaps = {key: table.words(key) for key in (COMMON, *ARCHES) if key in table.data}
    if not any(arch in gaps for arch in ARCHES):
        raise table.error("", "names no architecture", "write i386 = [] at least")
    seen: set[str] = set()
    for key, paths in gaps.items():
        for path in paths:
            _gap_path(table, key, path)
            if path in seen:
                raise table.error(key, f"{path!r} stands twice", "name it once")
            seen.add(path)
    for arch in ARCHES:
        if arch in gaps and not gaps.get(COMMON, ()) + gaps[arch]:
            mend = f'write {arch} = ["{arch}/…"] or common = ["…"]'
            raise table.error(arch, "there is no gap file", mend)
    return gaps


def _gap_path(table: Table, key: str, path: str) -> None:
    pure = PurePosixPath(path)
    plain = re.fullmatch(r"[A-Za-z0-9_./-]+", path) and str(pure) == path
    if not plain or pure.is_absolute() or ".." in pure.parts:
        mend = "write a path relative to the stage's folder"
        raise table.error(key, f"{path!r} is no plain path", mend)
    if pure.suffix not in SUFFIXES:
        what = f"{path!r} is no source file"
        raise table.error(key, what, f"gap files end in {', '.join(SUFFIXES)}")
    if key != COMMON and pure.parts[0] != key:
        mend = f"move it to {key}/, or name it in common"
        raise table.error(key, f"{path!r} does not lie in {key}/", mend)
