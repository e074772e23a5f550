# SPDX-License-Identifier: MIT
"""`make class`: from what was handed in to a store in which every item has a result."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.cohort.engine import Engine, Lost
from grader.cohort.handin import take_in
from grader.cohort.model import SPOOL, SUBMISSIONS, WORKERS, Attempt, Carry
from grader.cohort.model import HandedIn, Item, Outcome
from grader.cohort.plan import Planner, open_items
from grader.cohort.progress import progress
from grader.cohort.refused import refused
from grader.cohort.store import CURRENT, Store
from grader.course import Course, Stage
from grader.errors import OperatorError, operator_fault, require_room
from grader.intake.downloads import Source
from grader.verdict.model import Status

LOCK = ".lock"
WAIT_S = 1.0
LOSSES = 2  # so often a worker may be lost with an item
GOES_ON = "the same command goes on from there"


@contextlib.contextmanager
def held(out: Path) -> Iterator[None]:
    """OUT is this run's until the end. Raises OperatorError."""
    try:
        for folder in (SPOOL, SUBMISSIONS):
            (out / folder).mkdir(parents=True, exist_ok=True)
        require_room(out)
        with (out / LOCK).open("w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
    except BlockingIOError:
        mend = "wait for it, or choose another folder with OUT=<folder>"
        raise OperatorError(f"another run is writing to OUT={out}", mend) from None
    except OSError as error:
        raise operator_fault(error, str(out)) or error from None


@dataclass
class Run:
    """One class run that holds OUT. state: what its results are (see store)."""

    course: Course
    stage: Stage
    arches: Sequence[str]
    out: Path
    store: Store
    engine: Engine
    state: str = CURRENT
    _losses: Counter[str] = field(default_factory=Counter)

    def recover(self) -> None:
        """Take in what an earlier run left spooled, and remove what it left half
        done."""
        self.engine.recover()
        for _ in self._spooled():
            pass
        shutil.rmtree(self.out / WORKERS, ignore_errors=True)
        for file in (self.out / SPOOL).iterdir():
            file.unlink()
        used = self.store.folders()
        for folder in (self.out / SUBMISSIONS).glob("*/*"):
            if str(folder.relative_to(self.out)) not in used:
                shutil.rmtree(folder, ignore_errors=True)

    def take_in(self, sources: Sequence[Source]) -> list[HandedIn]:
        """Everything that was handed in, now and before, as it is to be graded."""
        before = {one.name: one for one in self.store.handed_in(self.stage.id)}
        taken: list[HandedIn] = []
        with progress("reading", len(sources)) as told:
            for source in sources:
                one = take_in(source, self.course, self.stage, self.arches, self.out)
                old = before.get(one.name)
                if old and one.fault:
                    one = dataclasses.replace(old, fault=one.fault)
                elif old:
                    one = dataclasses.replace(one, late_days=old.late_days)
                taken.append(one)
                told()
        self.store.hand_in(taken)
        return self.store.handed_in(self.stage.id)

    def grade(self, handed_in: Sequence[HandedIn], planner: Planner) -> int:
        """Grade what has no result; returns how many items that were."""
        graded = 0
        best = planner.carry is Carry.BEST
        for carry in (Carry.REFERENCE, Carry.OWN) if best else (planner.carry,):
            items = [
                item
                for one in handed_in
                for arch in self.arches
                for item in planner.items(one, self.stage, arch)
                if item.carry is carry
            ]
            if best and carry is Carry.OWN:
                items = self._worth_it(items)
            problems = {one.name: one.problem for one in handed_in if one.problem}
            unread = {one.name for one in handed_in if one.fault and not one.src}
            todo = open_items(items, self.store.results(self.stage.id, self.state))
            graded += len(todo)
            for item in todo:
                if item.submission in problems:
                    self._refuse(item, problems[item.submission])
            apart = unread | problems.keys()
            self._run([item for item in todo if item.submission not in apart])
        return graded

    def _worth_it(self, items: list[Item]) -> list[Item]:
        """Those that could bring more points than with the reference's earlier work."""
        full = Status.PASS.value
        results = self.store.results(self.stage.id, self.state)
        done = {
            (result.submission, result.arch)
            for result in results
            if result.carry is Carry.REFERENCE and result.status == full
        }
        return [item for item in items if (item.submission, item.arch) not in done]

    def _refuse(self, item: Item, problem: str) -> None:
        hint = f"Hand in {item.stage}/, with the files that its sheet names."
        verdict = refused(
            self.course,
            item,
            Status.BUILD_ERROR,
            f"Nothing was graded: {problem}.",
            hint,
        )
        outcome = Outcome(item, secrets.token_hex(8), verdict.to_json())
        self.store.keep(outcome, self.state)

    def _run(self, items: Sequence[Item]) -> None:
        if not items:
            return
        waiting = {item.id: item for item in items}
        with progress("grading", len(items)) as told:
            self.engine.start(items)
            while waiting:
                lost = self.engine.wait(WAIT_S)
                for item, whole in self._spooled():
                    if item in waiting and not whole:
                        lost.append(Lost(waiting[item], "its result came in pieces"))
                    elif waiting.pop(item, None):
                        told()
                for each in lost:
                    if each.item.id in waiting and not self._again(each):
                        del waiting[each.item.id]
                        told()

    def _again(self, lost: Lost) -> bool:
        """What to do about an item whose worker was lost: whether it is started anew.
        Raises OperatorError if that has no sense."""
        require_room(self.out)
        if lost.operator:
            raise OperatorError(lost.why, f"mend that: {GOES_ON}")
        attempt = Attempt("lost", lost.why)
        self._losses[lost.item.id] += 1
        if self._losses[lost.item.id] < LOSSES:
            self.store.attempted(lost.item, attempt)
            self.engine.start([lost.item])
            return True
        outcome = Outcome(lost.item, secrets.token_hex(8), None, attempts=(attempt,))
        self.store.keep(outcome, self.state)
        return False

    def _spooled(self) -> Iterator[tuple[str, bool]]:
        """Take every outcome of the spool into the store: the items' ids. False: it is
        not whole, after a loss of power or on a network's file system, and is dropped.
        """
        for file in sorted((self.out / SPOOL).glob("[!.]*.json")):
            try:
                outcome = Outcome.from_json(json.loads(file.read_text("utf-8")))
            except ValueError:
                file.unlink()
                yield file.stem, False
                continue
            self.store.keep(outcome, self.state)
            file.unlink()
            yield outcome.item.id, True


@contextlib.contextmanager
def stoppable(engine: Engine, said: Callable[[], str]) -> Iterator[None]:
    """Ends the engine however the run ends; Ctrl-C is an OperatorError."""
    try:
        yield
    except KeyboardInterrupt:
        raise OperatorError(f"stopped: {said()}", GOES_ON) from None
    finally:
        engine.stop()
