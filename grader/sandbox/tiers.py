# SPDX-License-Identifier: MIT
"""Which tier this machine allows, and which one the operator asks for."""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from grader.errors import OperatorError
from grader.sandbox.box import Sandbox, open_to_all
from grader.sandbox.model import Tier

FORCED = "RINGLAB_TIER"  # also for the processes that a run starts
ROOT = Path(__file__).resolve().parents[2]
# What a command of tier B has no business with. The programs that run gap files on the
# host lie in grader/scenarios, and are compiled there.
STAFFS = ("solutions", ".git")
OPEN = ("scenarios",)
MEND = "run as root, or install bubblewrap and allow user namespaces"


def force(tier: str) -> None:
    """Use this tier, and no other, from now on. Raises OperatorError."""
    if tier not in (each.value for each in Tier):
        raise OperatorError(f"TIER={tier} is no tier", "choose A, B or C")
    os.environ[FORCED] = tier
    detect.cache_clear()


@functools.lru_cache(maxsize=1)
def detect() -> Sandbox:
    """The tier that was forced, else the best that works here, found by running each
    (6 ms, once a process). Raises OperatorError if the forced one does not work."""
    forced = os.environ.get(FORCED)
    for sandbox in _candidates():
        if forced in (None, "", sandbox.tier.value) and _works(sandbox):
            return sandbox
    raise OperatorError(f"sandbox tier {forced} does not work here", MEND)


def require_tier(least: Tier) -> Sandbox:
    """The sandbox, if it is of this tier or a better one, or of one that the operator
    has asked for by name. Raises OperatorError."""
    found = detect()
    if found.tier.value > least.value and not os.environ.get(FORCED):
        raise OperatorError(
            f"this machine allows no better sandbox than tier {found.tier.value}, and "
            f"tier {least.value} is wanted for other people's code",
            f"{MEND}; or take the risk (grader/README.md) with TIER={found.tier.value}",
        )
    return found


def close_staffs(root: Path) -> None:
    """Take the staff's folders from all other users (0700), as tier B needs it."""
    for folder in _staffs(root):
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & 0o077:
            folder.chmod(mode & 0o700)


def _staffs(root: Path) -> Iterable[Path]:
    yield from (root / name for name in STAFFS if (root / name).is_dir())
    for entry in os.scandir(root / "grader"):
        if entry.is_dir(follow_symlinks=False) and entry.name not in OPEN:
            yield Path(entry.path)


def _candidates() -> Iterable[Sandbox]:
    for own_uid in (True, False) if os.geteuid() == 0 else (False,):
        for proc in (True, False):
            yield Sandbox(Tier.A, own_uid, proc)
    if os.geteuid() == 0 and open_to_all(ROOT):
        yield Sandbox(Tier.B, own_uid=True)
    yield Sandbox(Tier.C)


def _works(sandbox: Sandbox) -> bool:
    usr = Path("/usr")
    try:
        # The first child of sh proves that RLIMIT_NPROC leaves room inside.
        argv = ["sh", "-c", "true & wait"]
        result = sandbox.run(argv, cwd=usr, ro=[usr], proc=sandbox.proc)
    except OSError:
        return False
    return result.status == 0
