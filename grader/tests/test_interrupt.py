# SPDX-License-Identifier: MIT
"""Ctrl-C ends a run wherever it falls, but lets importlib finish what it is about."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from grader.settings import ROOT

INTERRUPTED = """
import os, signal, time
from grader import interrupt

interrupt.install()
at_work = "os.kill(os.getpid(), signal.SIGINT)\\nprint('went on', flush=True)"
exec(compile(at_work, {file!r}, "exec"))
time.sleep(20)
print("never ended")
"""


@pytest.mark.parametrize(
    ("file", "said"), [("<frozen importlib._bootstrap>", "went on\n"), ("any.py", "")]
)
def test_ctrl_c_waits_for_importlib_and_for_nothing_else(file: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(file=file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        # Below `make test &` of a plain shell it would be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert done.stdout == said and done.stderr.endswith("KeyboardInterrupt\n")
