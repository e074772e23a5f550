# SPDX-License-Identifier: MIT
"""Ctrl-C ends a run wherever it falls, but lets importlib finish what it is about."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

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


SETTLED = """
from grader import interrupt

try:
    exec("raise KeyboardInterrupt")
except KeyboardInterrupt:
    {then}
raise SystemExit(2)
"""


@pytest.mark.parametrize(
    ("then", "status"), [("pass", -signal.SIGINT), ("interrupt.settle()", 2)]
)
def test_an_interrupt_that_was_handled_is_not_how_the_process_ends(
    tmp_path: Path, then: str, status: int
) -> None:
    (tmp_path / "ends.py").write_text(SETTLED.format(then=then))
    words = [sys.executable, "-m", "ends"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == status
