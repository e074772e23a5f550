# SPDX-License-Identifier: MIT
"""Random scripts for threads, and the turns that round robin then gives them."""

from __future__ import annotations

import random

THREADS, CALLS = 8, 128  # as in the scenario: with the idle thread, and of each
IDLE = 0
END, YIELD, BLOCK, WAKE = 0, 1, 2, 0x80  # WAKE: and the number of whom to wake
# Who makes or returns from which of its calls: thread, number, whether it returns.
Step = tuple[int, int, bool]
# With blocks: a thread that is ready is woken, then nobody is ready any more.
OPENING = {1: (WAKE | 2, BLOCK), 2: (BLOCK,)}


class Script:
    """calls: what each thread does, the idle one first; steps: what then happens.

    All threads but the idle one begin in the queue, in order, and yield. With `blocks`
    they are only two, which also block, and wake each other whether blocked or not:
    then it does not matter where in the queue a woken thread comes.
    """

    def __init__(self, rng: random.Random, *, blocks: bool) -> None:
        self.calls: list[list[int]] = [[] for _ in range(THREADS)]
        self.steps: list[Step] = []
        self._rng = rng
        self._blocks = blocks
        self._ready = [1, 2] if blocks else list(range(1, THREADS))
        self._living = list(self._ready)
        self._asleep: list[int] = []
        self._lengths = [CALLS, *(rng.randrange(20, 60) for _ in self._ready)]
        now = IDLE
        while call := self._choice(now):
            self.steps.append((now, len(self.calls[now]), False))
            self.calls[now].append(call)
            now = self._resume(self._turn(now, call))

    def data(self) -> bytes:
        """The module for the scenario."""
        return b"".join(bytes(row).ljust(CALLS, b"\0") for row in self.calls)

    def names(self) -> dict[tuple[int, int], str]:
        """What is called, by thread and number."""
        rows = enumerate(self.calls)
        return {(t, n): _name(c) for t, row in rows for n, c in enumerate(row)}

    def _choice(self, now: int) -> int:
        if now == IDLE:
            if self._asleep and not self._ready:
                return WAKE | self._rng.choice(self._asleep)
            return YIELD if self._ready else END
        if not self._blocks:
            return YIELD
        done = len(self.calls[now])
        if done < len(OPENING[now]):
            return OPENING[now][done]
        calls = [YIELD, WAKE | self._rng.choice(self._living)]
        if len(self.calls[IDLE]) < CALLS // 2:  # it has to wake them in the end
            calls.append(BLOCK)
        return self._rng.choice(calls)

    def _turn(self, now: int, call: int) -> int:
        """Who runs behind the call."""
        if call == YIELD and now != IDLE:
            self._ready.append(now)
        elif call == BLOCK:
            self._asleep.append(now)
        elif call & WAKE:
            if call & ~WAKE in self._asleep:
                self._asleep.remove(call & ~WAKE)
                self._ready.append(call & ~WAKE)
            return now
        return self._next()

    def _next(self) -> int:
        return self._ready.pop(0) if self._ready else IDLE

    def _resume(self, now: int) -> int:
        """Who makes the next call: threads whose script is over end first."""
        while True:
            if self.calls[now]:
                self.steps.append((now, len(self.calls[now]) - 1, True))
            if len(self.calls[now]) < self._lengths[now]:
                return now
            self._living.remove(now)
            now = self._next()


def _name(call: int) -> str:
    if call & WAKE:
        return f"thread_wake(thread {call & ~WAKE})"
    return "thread_yield" if call == YIELD else "thread_block"
