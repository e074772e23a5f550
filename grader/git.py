# SPDX-License-Identifier: MIT
"""Git in a repository of one's own; never in a submission."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from grader.errors import OperatorError


def git(root: Path, *words: str, allowed: tuple[int, ...] = (0,)) -> str:
    """What git prints, without the last line end.

    allowed: exit statuses; at another one OperatorError has git's own words.
    """
    command = ["git", "-C", str(root), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in allowed:
        said = " ".join((done.stderr or done.stdout).split())
        raise OperatorError(f"git {words[0]}: {said}", "mend that, then try again")
    return done.stdout.strip("\n")


def git_bytes(
    root: Path, *words: str, given: bytes = b"", most: int | None = None
) -> bytes:
    """What git prints, as it is, when it reads `given`; OperatorError as with git.

    most: how many bytes that may be; more is an OperatorError too.
    """
    command = ["git", "-C", str(root), *words]
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as errors:
        asked.write(given)
        asked.seek(0)
        with subprocess.Popen(
            command, stdin=asked, stdout=subprocess.PIPE, stderr=errors
        ) as running:
            assert running.stdout is not None
            said = running.stdout.read(-1 if most is None else most + 1)
            if most is not None and len(said) > most:
                running.kill()
                what = f"git {words[0]} has more than {most} bytes to say"
                raise OperatorError(what, "")
        if running.returncode:
            errors.seek(0)
            text = " ".join(errors.read().decode("utf-8", "replace").split())
            raise OperatorError(f"git {words[0]}: {text}", "mend that, then try again")
    return said


def uncommitted(root: Path) -> str:
    """The first tracked file that differs from HEAD, "" if none does."""
    changed = git(root, "status", "--porcelain", "--untracked-files=no").splitlines()
    return changed[0].split(maxsplit=1)[-1] if changed else ""
