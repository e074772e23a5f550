# SPDX-License-Identifier: MIT
"""Patches of known gap files, as mutants and other submissions have them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def apply(patch: Path, target: Path, home: str) -> str:
    """Patch a copy of the repository's folder `home`; returns what does not fit, or "".

    Paths in the patch are relative to that folder, or to the repository's root.
    """
    text = patch.read_text(encoding="utf-8")
    depth = 1 + len(Path(home).parts) if f"+++ b/{home}/" in text else 1
    # Outside of any repository git applies to plain files, whatever is tracked.
    clean = {"PATH": os.environ["PATH"], "GIT_CEILING_DIRECTORIES": str(target.parent)}
    command = ["git", "apply", "--whitespace=nowarn", f"-p{depth}"]
    done = subprocess.run(
        [*command, str(patch.resolve())],
        cwd=target,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip() if done.returncode else ""
