# SPDX-License-Identifier: MIT
"""Which limit ended a command, and what its author should know about that."""

from __future__ import annotations

import re
import signal
from typing import NamedTuple

from grader.sandbox.model import Limits, Result, Stop

KILLED = (128 + signal.SIGKILL, 128 + signal.SIGXCPU)
FULL = 128 + signal.SIGXFSZ
# What compilers, assemblers and linkers say when the kernel refuses them something.
SAID = (
    (Stop.DISK, r"File size limit exceeded|No space left on device|File too large"),
    (
        Stop.MEMORY,
        r"out of memory|memory exhausted|[Cc]annot allocate memory|bad_alloc",
    ),
    (Stop.PROCESSES, r"Resource temporarily unavailable|[Cc]annot fork"),
    (Stop.FILES, r"Too many open files"),
    (Stop.CPU, r"CPU time limit exceeded|Killed signal terminated|\bKilled\b"),
)
NEARLY = 0.8  # of the CPU time: killed earlier than that, it was for its memory


def exceeded(result: Result, trusted: bool = True) -> Stop | None:
    """The limit at which the command was ended, None if it ended for another reason.

    trusted: what it printed is its own and not a student's, and may be believed.
    """
    if result.stop or result.status == 0:
        return result.stop
    if result.status == FULL:
        return Stop.DISK
    text = result.stderr.decode("utf-8", "replace") if trusted else ""
    if result.status in KILLED:
        found: Stop | None = Stop.CPU
    else:
        found = next((stop for stop, words in SAID if re.search(words, text)), None)
    if found is Stop.CPU and result.cpu_s < NEARLY * result.limits.cpu_s:
        return Stop.MEMORY
    return found


class Overrun(NamedTuple):
    """What is exceeded and how much is allowed; what usually leads there; the mend."""

    what: str
    cause: str
    mend: str

    def __str__(self) -> str:
        return f"{self.what}; usually it is {self.cause}; {self.mend}"


# What usually leads there, and the mend: of a tool that reads a student's files, ...
READING = {
    Stop.CPU: (
        "a macro, an include or a repetition that goes on and on",
        "find it, and bound it",
    ),
    Stop.WALL: ("macros that are expanded again and again", "have fewer of them"),
    Stop.IDLE: ("an include of a device", "include only headers"),
    Stop.OUTPUT: ("a warning that a macro repeats", "mend the first one"),
    Stop.MEMORY: ("a macro that doubles itself, or a huge array", "make it smaller"),
    Stop.DISK: (
        "a huge array with a value, or times, .fill or .org",
        "make it smaller, or leave it zero",
    ),
    Stop.PROCESSES: ("a tool that is made to start others", "leave that out"),
    Stop.FILES: ("a file that includes itself", "give it a guard"),
}
# ... and of a program that holds a student's code.
RUNNING = {
    Stop.CPU: ("a loop without an end", "see what would end it"),
    Stop.WALL: ("a loop without an end", "see what would end it"),
    Stop.IDLE: ("an endless wait", "leave it out: nobody wakes a sleeper here"),
    Stop.OUTPUT: ("a loop that prints", "see what would end it"),
    Stop.MEMORY: ("an allocation in a loop", "see what would end it"),
    Stop.DISK: ("writing to a file", "leave that out, no task asks for it"),
    Stop.PROCESSES: ("starting processes", "leave that out, no task asks for it"),
    Stop.FILES: ("opening files", "leave that out, no task asks for it"),
}


def told(stop: Stop, limits: Limits, doing: str, program: bool = False) -> Overrun:
    """What the author should know. doing: what went on, such as "compiling"; program:
    that ran code of the author's, and not only tools over it."""
    memory = _size(min(limits.memory_bytes, limits.resident_bytes))
    amount = {
        Stop.CPU: f"takes more than {limits.cpu_s} s of CPU time",
        Stop.WALL: f"is not done after {limits.wall_s:g} s",
        Stop.IDLE: "waits for something that never comes",
        Stop.OUTPUT: f"prints more than {_size(limits.output_bytes)}",
        Stop.MEMORY: f"takes more than {memory} of memory",
        Stop.DISK: f"writes more than {_size(limits.file_bytes)} to the disk",
        Stop.PROCESSES: f"starts more than {limits.processes} processes",
        Stop.FILES: f"opens more than {limits.files} files at once",
    }[stop]
    return Overrun(f"{doing} {amount}", *(RUNNING if program else READING)[stop])


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >> 20 else f"{count >> 10} KiB"
