# SPDX-License-Identifier: MIT
"""The engine of a Slurm cluster: an array of jobs, each element a worker with a chunk.

OUT lies on a file system that every node has. What came of an item shows in the spool,
as with any engine; Slurm is asked only now and then, for elements that will say no
more. An element takes its items from a file and leaves, in OUT/slurm/<array>/:

    <index>.items   one item a line
    <index>.log     what its worker, and Slurm, said of it
    <index>.status  its exit status, unless it was killed

Items of a lost element get an element each when they are started again: whichever of
them ended the first worker takes no neighbour along a second time.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.cohort.engine import Lost
from grader.cohort.local import OPERATOR
from grader.cohort.model import Item
from grader.cohort.node import describe
from grader.cohort.site import Site
from grader.cohort.slurm_queue import GONE, Queue, Refused, State
from grader.errors import OperatorError
from grader.settings import ROOT

FOLDER = "slurm"
POLL_S = 0.2  # between two looks at the spool
LOOK_S = 30.0  # between two questions to Slurm, and two tries to submit
LEAVE_S = 90.0  # what cancelled jobs need at most: Slurm's KillWait is 30 s
SCRIPT = """\
#!/bin/sh
cd {root} &&
{python} -m grader.cohort.node {folder}/machine.json &&
{python} -m {worker} {out} <{array}/$SLURM_ARRAY_TASK_ID.items >/dev/null
echo $? >{array}/$SLURM_ARRAY_TASK_ID.status
"""
FIXED = "--no-requeue --ntasks=1 --input=/dev/null --output=/dev/null".split()


@dataclass(frozen=True)
class _Element:
    """Of an array. stem: of its files."""

    items: Sequence[Item]
    stem: Path

    @property
    def status(self) -> int | None:
        try:
            return int(self.stem.with_suffix(".status").read_text("ascii"))
        except (OSError, ValueError):
            return None

    @property
    def log(self) -> str | None:
        """Its last line; None: it could not even begin one."""
        try:
            text = self.stem.with_suffix(".log").read_text("utf-8", "replace")
        except OSError:
            return None
        return (text.strip().splitlines() or [""])[-1]


@dataclass
class Slurm:
    """jobs: at most so many elements of an array run at once; None: Slurm decides.

    obstacle: what keeps Slurm from doing more, "" while it does.
    """

    out: Path
    site: Site
    jobs: int | None = None
    worker: Sequence[str] = ("grader.cohort.worker",)
    look_s: float = LOOK_S
    obstacle: str = ""
    _queue: Queue = field(init=False)
    _chunks: list[list[Item]] = field(default_factory=list)
    _elements: dict[str, _Element] = field(default_factory=dict)
    _started: set[str] = field(default_factory=set)
    _unfit: dict[str, str] = field(default_factory=dict)
    _arrays: int = 0
    _submit_at: float = 0.0
    _look_at: float = 0.0
    _moved: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._queue = Queue.of(self.out)

    def recover(self) -> None:
        """Raises OperatorError if Slurm does not answer, or old jobs stay."""
        until = time.monotonic() + LEAVE_S
        try:
            self._queue.cancel()
            while not all(state.over for state in self._queue.states().values()):
                if time.monotonic() > until:
                    raise Refused(f"jobs {self._queue.name} of an earlier run stay")
                time.sleep(POLL_S)
        except Refused as refusal:
            raise OperatorError(f"Slurm: {refusal}", "see sinfo and squeue") from None
        shutil.rmtree(self.out / FOLDER, ignore_errors=True)
        (self.out / FOLDER).mkdir()
        describe(self.out / FOLDER / "machine.json")

    def start(self, items: Sequence[Item]) -> None:
        new = [item for item in items if item.id not in self._started]
        size = self.site.chunk
        self._chunks += [new[at : at + size] for at in range(0, len(new), size)]
        self._chunks += [[item] for item in items if item.id in self._started]
        self._started |= {item.id for item in items}

    def wait(self, timeout_s: float) -> list[Lost]:
        """Raises OperatorError if Slurm will not, or does nothing for too long."""
        lost: list[Lost] = []
        if self._chunks and time.monotonic() >= self._submit_at:
            self._submit()
            self._submit_at = time.monotonic() + self.look_s if self._chunks else 0.0
        if time.monotonic() >= self._look_at:
            lost = self._look()
            self._look_at = time.monotonic() + self.look_s
        idle_s = time.monotonic() - self._moved
        if idle_s > self.site.patience_s:
            what = f"Slurm has done nothing for this class for {idle_s / 60:.0f} min"
            raise OperatorError(f"{what} ({self.obstacle})", "see squeue")
        if not lost:
            time.sleep(min(timeout_s, POLL_S))
        return lost

    def stop(self) -> None:
        """What was cancelled may take a while to be gone: recover() waits for that."""
        if self._arrays:
            try:
                self._queue.cancel()
            except Refused as refusal:
                again = f"scancel --name={self._queue.name}"
                print(f"Slurm: {refusal}; run `{again}`", file=sys.stderr)

    def _submit(self) -> None:
        """Hand in what waits, in arrays as long as Slurm takes them."""
        size = len(self._chunks)
        while self._chunks:
            try:
                self._array(self._chunks[:size])
            except Refused as refusal:
                if not refusal.later:
                    raise self._refused(str(refusal)) from None
                if size == 1 or not refusal.fewer:
                    self._hindered(str(refusal))
                    return
                size = (size + 1) // 2
            else:
                del self._chunks[:size]
                self._progress()

    def _array(self, chunks: Sequence[Sequence[Item]]) -> None:
        """Submit one array. Raises Refused."""
        self._arrays += 1
        array = self.out / FOLDER / str(self._arrays)
        array.mkdir(parents=True)
        for index, items in enumerate(chunks):
            lines = "".join(item.to_line() for item in items)
            (array / f"{index}.items").write_text(lines, "utf-8")
        limit = f"%{self.jobs}" if self.jobs else ""
        words = [*self.site.sbatch, *FIXED, f"--error={array}/%a.log"]
        words.append(f"--array=0-{len(chunks) - 1}{limit}")
        if self._unfit:
            words.append(f"--exclude={','.join(self._unfit)}")
        names = {"root": ROOT, "python": sys.executable, "out": self.out}
        names |= {"folder": self.out / FOLDER, "array": array}
        quoted = {name: shlex.quote(str(value)) for name, value in names.items()}
        script = SCRIPT.format(worker=shlex.join(self.worker), **quoted)
        try:
            job = self._queue.submit(words, script)
        except Refused:
            shutil.rmtree(array, ignore_errors=True)
            raise
        for index, items in enumerate(chunks):
            self._elements[f"{job}_{index}"] = _Element(items, array / str(index))

    def _look(self) -> list[Lost]:
        """Elements that Slurm runs no more."""
        if not self._elements:
            return []
        try:
            states = self._queue.states()
        except Refused as refusal:
            self._hindered(str(refusal))
            return []
        lost: list[Lost] = []
        for name, element in [*self._elements.items()]:
            state = states.get(name, GONE)
            if state.over:
                del self._elements[name]
                lost += self._ended(name, element, state)
            if not state.waits:
                self._progress()
        for state in states.values():
            if state.in_vain:
                raise self._refused(f"it will never run: {state.reason}")
            if state.waits:
                self.obstacle = f"it waits for: {state.reason}"
        return lost

    def _ended(self, name: str, element: _Element, state: State) -> list[Lost]:
        """All its items: those that it spooled are known to the run by then."""
        log, status = element.log, element.status
        where = f"on {state.node}" if state.node else "before it began"
        word = state.word.lower().replace("_", " ")
        why = f"Slurm's job {name} ended {where}: {log or word}"
        if log is None and state.word == "FAILED":
            why += f"; is OUT={self.out} on a file system that this node has?"
        elif status is None or status != OPERATOR:
            return [Lost(item, why) for item in element.items]
        # One node that cannot grade is left out from now on; a second stops the run.
        only = not state.node or bool(self._unfit.keys() - {state.node})
        self._unfit[state.node] = why
        return [Lost(item, why, operator=only) for item in element.items]

    def _refused(self, said: str) -> OperatorError:
        unfit = "".join(f"; left out: {why}" for why in self._unfit.values())
        mend = "mend the site's file (ci/slurm.md)"
        return OperatorError(f"Slurm: {said}{unfit}", mend)

    def _progress(self) -> None:
        self._moved, self.obstacle = time.monotonic(), ""

    def _hindered(self, said: str) -> None:
        """Told once, as long as it stays the same."""
        if said != self.obstacle:
            print(f"Slurm: {said}; tried again every {self.look_s:g} s", flush=True)
        self.obstacle = said
