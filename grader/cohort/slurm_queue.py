# SPDX-License-Identifier: MIT
"""What a class run asks of Slurm: take an array, say how it fares, cancel it.

By sbatch, squeue and scancel, each bounded. Every array of one OUT has the same name,
so that a later run finds what an earlier one left, whatever that could still note.
"""

from __future__ import annotations

import getpass
import hashlib
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ANSWER_S = 30.0  # for one command
OVER = frozenset(
    "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED"
    " REVOKED TIMEOUT".split()
)
# A limit's name, where Slurm tells one, says more than the sentence beside it.
LIMIT = r"\b(?:QOS|Assoc)\w+"
# Slurm's own words (slurm_errno.c) where fewer jobs may be taken at once,
FULL = "Submit|submit limit|job array spec|queue full|accept job"
# and where the same may be taken later.
BUSY = "timed out|ontact|onnect|partition not available|temporarily|no answer"
SLEEPS = "retrying"  # sbatch would, for two minutes
# Why a job waits that would wait for ever.
NEVER = "PartitionTimeLimit|PartitionNodeLimit|BadConstraints|Invalid|MaxWall|NeverSat"


class Refused(Exception):
    """Slurm did not take an array, or did not answer, and says why."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        limit = re.search(LIMIT, said)
        text = limit.group() if limit else said
        self.fewer = re.search(FULL, text) is not None
        self.later = self.fewer or re.search(BUSY, text) is not None


@dataclass(frozen=True)
class State:
    """Of an array's element. word: Slurm's; node: where it is or was; reason: why it
    waits."""

    word: str
    node: str = ""
    reason: str = ""

    @property
    def over(self) -> bool:
        return self.word in OVER

    @property
    def waits(self) -> bool:
        return self.word == "PENDING"

    @property
    def in_vain(self) -> bool:
        return self.waits and re.search(NEVER, self.reason) is not None


GONE = State("CANCELLED")  # Slurm forgets a job some minutes after its end


@dataclass(frozen=True)
class Queue:
    """The arrays of one name, of this user."""

    name: str

    @classmethod
    def of(cls, out: Path) -> Queue:
        digest = hashlib.sha256(str(out).encode()).hexdigest()
        return cls(f"ringlab-{digest[:12]}")

    def submit(self, words: Sequence[str], script: str) -> str:
        """The number of the job that runs the script. Raises Refused."""
        command = ["sbatch", "--parsable", f"--job-name={self.name}", *words]
        with subprocess.Popen(
            ["timeout", str(ANSWER_S), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as sbatch:
            assert sbatch.stdin and sbatch.stdout and sbatch.stderr
            sbatch.stdin.write(script)
            sbatch.stdin.close()
            said = []
            for line in sbatch.stderr:
                said.append(line.removeprefix("sbatch: error: ").strip())
                if SLEEPS in line:
                    sbatch.terminate()
            number = sbatch.stdout.read().split(";")[0].strip()
        if sbatch.returncode or not number:
            raise Refused("; ".join(said) or "sbatch gives no answer")
        return number

    def states(self) -> dict[str, State]:
        """By "job_index". Raises Refused if Slurm does not say."""
        text = self._ask(
            *("squeue", "--noheader", "--array", "--states=all", "--me"),
            *(f"--name={self.name}", "--format=%i|%T|%N|%r"),
        )
        found = {}
        for line in text.splitlines():
            job, word, node, reason = line.strip().split("|", 3)
            found[job] = State(word, node, reason)
        return found

    def cancel(self) -> None:
        """All of it, whatever its state. Raises Refused."""
        user = f"--user={getpass.getuser()}"
        self._ask("scancel", "--quiet", user, f"--name={self.name}")

    def _ask(self, *command: str) -> str:
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=ANSWER_S
            )
        except subprocess.TimeoutExpired:
            raise Refused(f"{command[0]} gives no answer") from None
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            raise Refused(lines[-1] if lines else f"{command[0]} failed")
        return done.stdout
