# SPDX-License-Identifier: MIT
"""The engine of one machine: a pool of workers, each given one item after the other."""

from __future__ import annotations

import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from grader.cohort.engine import Lost
from grader.cohort.model import WORKERS, Item
from grader.settings import ROOT

OPERATOR = 2  # a worker's exit status: see there
LEAVE_S = 10.0  # what a worker needs to kill what it grades, and go
# A worker does not outlive the run that started it, however that ends.
COMMAND = (*("setpriv", "--pdeathsig", "KILL", sys.executable), "-m")


@dataclass
class _Worker:
    """A process. item: what it grades; None: it waits. log: its standard error."""

    process: subprocess.Popen[str]
    log: Path
    item: Item | None = None

    @property
    def said(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def give(self, item: Item) -> None:
        self.item = item
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(item.to_line())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it is dead: the end of its output will tell


@dataclass
class Local:
    """At most `jobs` workers; one that died is replaced if there is work for it."""

    out: Path
    jobs: int
    worker: Sequence[str] = ("grader.cohort.worker",)
    _waiting: deque[Item] = field(default_factory=deque)
    _workers: list[_Worker] = field(default_factory=list)
    _started: int = 0
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def recover(self) -> None:
        """Nothing to do: workers die with the run that started them."""

    def start(self, items: Sequence[Item]) -> None:
        self._waiting.extend(items)
        self._feed()

    def wait(self, timeout_s: float) -> list[Lost]:
        lost: list[Lost] = []
        for key, _ in self._selector.select(timeout_s):
            worker: _Worker = key.data
            if worker.said.readline():
                worker.item = None
            else:
                lost += self._bury(worker)
        self._feed()
        return lost

    def stop(self) -> None:
        for worker in self._workers:
            worker.process.terminate()
        for worker in [*self._workers]:
            try:
                worker.process.wait(LEAVE_S)
            except subprocess.TimeoutExpired:
                worker.process.kill()
            self._bury(worker)
        self._selector.close()

    def _feed(self) -> None:
        """An item for each worker that has none, and a worker for each that is due."""
        while self._waiting:
            free = next((w for w in self._workers if w.item is None), None)
            if free is None:
                if len(self._workers) >= self.jobs:
                    return
                free = self._hire()
            free.give(self._waiting.popleft())

    def _hire(self) -> _Worker:
        self._started += 1
        log = self.out / WORKERS / f"{self._started}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [*COMMAND, *self.worker, str(self.out)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                # Ctrl-C is for the run: it stops the workers in its own order.
                start_new_session=True,
            )
        worker = _Worker(process, log)
        self._selector.register(worker.said, selectors.EVENT_READ, worker)
        self._workers.append(worker)
        return worker

    def _bury(self, worker: _Worker) -> list[Lost]:
        """The end of one's output is its end."""
        self._selector.unregister(worker.said)
        self._workers.remove(worker)
        worker.process.kill()
        status = worker.process.wait()
        worker.said.close()
        if worker.item is None:
            return []
        lines = worker.log.read_text("utf-8", "replace").strip().splitlines()
        last = lines[-1] if lines else f"its worker ended with status {status}"
        return [Lost(worker.item, last, operator=status == OPERATOR)]
