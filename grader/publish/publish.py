# SPDX-License-Identifier: MIT
"""`grader publish`: makes the branches, proves what they leak and do, pushes them."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from grader.course import Course, Stage
from grader.errors import OperatorError
from grader.git import git, uncommitted
from grader.publish import content, leaks, proof
from grader.publish.dates import NEVER, RELEASE, Dates
from grader.publish.repository import Repository

WORK = Path("build/publish")
SINGLE = "main"
SHOWN = 20


def publish(
    root: Path,
    *,
    remote: str | None = None,
    dry: bool = False,
    arch: str | None = None,
    fresh: bool = False,
    single: bool = False,
    today: str | None = None,
    unproven: bool = False,
) -> int:
    """Bring the branches in `remote` up to date with HEAD; 1 if one is at fault.

    dry: only say what would change. fresh: all fresh branches, whatever their dates.
    single: the newest assignment as the branch main, too. today: YYYY-MM-DD.
    unproven: push without booting what changed (see proof).
    """
    if not remote and not dry:
        mend = "give REMOTE=<url or path>, or DRY=1 to see what would be published"
        raise OperatorError("there is nowhere to publish to", mend)
    if not (root / "solutions").is_dir():
        raise OperatorError(f"{root} has no solutions/", "publish from main")
    day = _day(today)
    _require_committed(root)
    course = Course.load(root)
    dates = Dates.load(course)
    arches = (arch,) if arch else dates.arches
    shutil.rmtree(root / WORK, ignore_errors=True)
    moment = git(root, "show", "-s", "--format=%cI", "HEAD")
    repository = Repository(root / WORK / "repository.git", dates.author, moment)
    if remote:
        repository.fetch(_absolute(root, remote))
    before = repository.branches()
    whole = root / WORK / "whole"
    content.archive(root, "HEAD", whole)
    makers = _Branches(root, course, repository, whole, arches)
    stages = [stage for stage in course.stages if dates.released(stage, day)]
    for stage in stages:
        makers.assignment(stage)
    for stage in course.stages[1:]:
        shown = stage in stages and (fresh or dates.fresh(stage, day))
        makers.fresh(stage, shown)
    if single and stages:
        repository.point(SINGLE, makers.tips[stages[-1].id])
    _tell_dates(course, dates, stages)
    found = find_leaks(root, course, repository)
    for leak in found[:SHOWN]:
        print(f"leak: {leak.where} {leak.what}")
    if found:
        print(f"{len(found)} leaks; nothing was published")
        return 1
    changed = _changes(before, repository.branches())
    if dry or not remote:
        print("dry run: nothing was booted, and nothing was pushed")
        return 0
    if not unproven and not _proven(root, repository, changed):
        return 1
    if changed:
        place = _absolute(root, remote)
        repository.push(place, changed)
        print(f"pushed to {place}")
    return 0


def _changes(before: dict[str, str], after: dict[str, str]) -> dict[str, str | None]:
    """What each branch that is not as it was becomes; tells of every branch."""
    names = sorted({*before, *after})
    changed = {n: after.get(n) for n in names if before.get(n) != after.get(n)}
    for name in names:
        state = "as it is"
        if name in changed:
            state = "new" if name not in before else "moved on"
            state = state if name in after else "withdrawn"
        print(f"{after.get(name, before.get(name, ''))[:12]}  {name:28} {state}")
    return changed


def _proven(root: Path, repository: Repository, changed: dict[str, str | None]) -> bool:
    """Are the new and moved branches right; SINGLE is one of them by another name."""
    branches = [name for name, tip in changed.items() if tip and name != SINGLE]
    work = root / WORK / "proof"
    faults = proof.prove(repository.folder, branches, root / "solutions", work)
    for fault in faults[:SHOWN]:
        print(f"{fault.branch}: {fault.what} (see {fault.log.relative_to(root)})")
    if faults:
        print(f"{len(faults)} faults; nothing was published")
    return not faults


class _Branches:
    """Makes the commits, each on what the branch already was."""

    def __init__(
        self,
        root: Path,
        course: Course,
        repository: Repository,
        whole: Path,
        arches: tuple[str, ...],
    ) -> None:
        self.root, self.course, self.arches = root, course, arches
        self.repository, self.whole = repository, whole
        self.tips: dict[str, str] = {}
        self._old = repository.branches()
        self._last = ""

    def assignment(self, stage: Stage) -> None:
        """The branch of `stage` contains the one before."""
        branch = f"assignment/{stage.id}"
        folder = self.whole.with_name(stage.id)
        content.lay_out(self.whole, folder, self.course, stage, self.arches)
        tree = self.repository.tree(folder)
        old, before = self._old.get(branch, ""), self._last
        if old and before and self.repository.contains(old, before):
            before = ""
        if old and not before and self.repository.tree_of(old) == tree:
            tip = old
        else:
            news = "what was mended" if old else stage.title
            parents = [parent for parent in (old, before) if parent]
            message = f"{stage.id}: {news}"
            tip = self.repository.commit(tree, parents, message)
        self.repository.point(branch, tip)
        self.tips[stage.id] = self._last = tip

    def fresh(self, stage: Stage, shown: bool) -> None:
        """The assignment's branch with the reference of the earlier stages."""
        branch = f"fresh/{stage.id}"
        if not shown:
            if branch in self._old:
                self.repository.point(branch, None)
            return
        folder = self.whole.with_name(stage.id)
        content.refresh(folder, self.root, self.course, stage)
        tree = self.repository.tree(folder)
        message = f"{stage.id}: with the earlier stages solved"
        parents = [self.tips[stage.id]]
        self.repository.point(branch, self.repository.commit(tree, parents, message))


def find_leaks(root: Path, course: Course, repository: Repository) -> list[leaks.Leak]:
    """Search every object that the branches reach, once for each kind of branch."""
    branches = repository.branches()
    runs: list[tuple[list[str], tuple[Stage, ...]]] = []
    runs.append(([t for n, t in branches.items() if not n.startswith("fresh/")], ()))
    for name, tip in branches.items():
        if name.startswith("fresh/"):
            stage = course.stage(name.partition("/")[2])
            runs.append(([tip], course.upto(stage)[:-1]))
    staff = _staffs_blobs(root)
    found: list[leaks.Leak] = []
    clean: set[str] = set()
    for tips, allowed in runs:
        secrets = leaks.gather(root, course, staff, allowed)
        solved = {f"assignments/{s.id}/{g}" for s in allowed for g in s.all_gaps()}
        for blob, path, data in repository.objects(tips) if tips else ():
            if blob not in clean:
                # A known submission may repeat the reference that is handed out here.
                whole = "" if path in solved else blob
                found += secrets.find(path, whole, data)
                clean.add(blob)
    return found


def _staffs_blobs(root: Path) -> dict[str, str]:
    """Ids, with a path each, of what HEAD holds for staff alone."""
    lines = git(root, "ls-tree", "-r", "HEAD").splitlines()
    files = [(line.split()[2], line.partition("\t")[2]) for line in lines]
    public = {blob for blob, path in files if (root / WORK / "whole" / path).exists()}
    return {blob: path for blob, path in files if blob not in public}


def _day(text: str | None) -> date:
    try:
        return date.fromisoformat(text) if text else date.today()
    except ValueError:
        raise OperatorError(f"TODAY={text} is no date", "write 2026-10-12") from None


def _absolute(root: Path, remote: str) -> str:
    """A remote of the repository, a path, or a URL, as any folder understands it."""
    known = git(root, "remote").splitlines()
    if remote in known:
        return git(root, "remote", "get-url", remote)
    return str(Path(remote).resolve()) if Path(remote).exists() else remote


def _require_committed(root: Path) -> None:
    changed = uncommitted(root)
    if changed:
        raise OperatorError(
            f"{changed} differs from HEAD, and only what is committed is published",
            "commit it, or put it away with git stash",
        )


def _tell_dates(course: Course, dates: Dates, stages: list[Stage]) -> None:
    for stage in course.stages:
        if dates.draft(stage):
            print(f'{stage.id}: {RELEASE} = "{NEVER}" in {dates.file}')
        elif stage not in stages:
            print(f"{stage.id}: not before {dates.when(stage, RELEASE)}")
