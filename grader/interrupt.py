# SPDX-License-Identifier: MIT
"""Ctrl-C, kept out of Python's import system.

An exception raised in the middle of importlib's own bookkeeping can be lost, or leave
the lock of a module held for ever, for which another thread then waits.
"""

from __future__ import annotations

import signal
from types import FrameType

AGAIN_S = 0.01


def install() -> None:
    """From now on an interrupt waits until importlib itself is not at work."""
    # Whoever starts us with `&` in a plain shell wants interrupts ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGALRM, interrupt)


def interrupt(_number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt now, or look again soon."""
    if frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
        return
    raise KeyboardInterrupt


def settle() -> None:
    """The program has handled what came: its exit status is its own.

    CPython notes an interrupt that leaves an exec() of text, which is how dataclasses
    are made, and ends by SIGINT then, unless a later one ends well.
    """
    exec("")
