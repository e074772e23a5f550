# SPDX-License-Identifier: MIT
"""What a published branch holds: the tree of one commit, less what is not for students.

.gitattributes marks the staff's part with export-ignore; of the stages, a branch holds
those up to its own.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from grader.course import ARCHES, Course, Stage
from grader.errors import OperatorError
from grader.handouts import solved
from grader.publish.dates import FILE

README = Path("assignments/README.md")
STAGE_LIST = "<!-- stages -->"
STAGE_NAME = "A=NN-name      "  # as wide as with the longest id
# A file of a stage begins with its id, or as its checks do: test_04_entry.py.
OF_STAGE = re.compile(r"(?:(\d\d)-[a-z][a-z0-9-]*|test_(\d\d)_\w+\.py)")
CONTRACTS = Path("kernel/include/course")


def archive(root: Path, commit: str, folder: Path) -> None:
    """Write the files of `commit` that are no staff's into `folder`."""
    command = ["git", "-C", str(root), "archive", "--format=tar", commit]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise OperatorError(f"git archive {commit}: {said}", "run this in a clone")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as files:
        for member in files:
            if member.isreg():
                path = folder / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                data = files.extractfile(member)
                assert data is not None
                path.write_bytes(data.read())
                path.chmod(0o755 if member.mode & 0o100 else 0o644)


def lay_out(
    whole: Path, folder: Path, course: Course, stage: Stage, arches: Sequence[str]
) -> None:
    """Copy of `whole` (see archive) what the branch of `stage` holds to `folder`."""
    others = [arch for arch in ARCHES if arch not in arches]
    for file in sorted(whole.rglob("*")):
        path = file.relative_to(whole)
        if file.is_file() and held(path, stage, others):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
    (folder / "README.md").write_text(_readme(whole, course, stage), encoding="utf-8")
    (folder / README).unlink(missing_ok=True)
    dates = folder / FILE
    if others and dates.exists():
        text = re.sub(r"(?m)^arch = .*\n", "", dates.read_text(encoding="utf-8"))
        named = ", ".join(f'"{arch}"' for arch in arches)
        dates.write_text(f"arch = [{named}]\n{text}", encoding="utf-8")


def held(path: Path, stage: Stage, others: Iterable[str] = ()) -> bool:
    """Whether a file belongs to the stage or one before it, and to no architecture of
    `others`."""
    # The core is compiled with every contract; they are declarations.
    if path.is_relative_to(CONTRACTS):
        return True
    if any(part in others for part in path.parts):
        return False
    numbers = (OF_STAGE.match(part) for part in path.parts)
    return all(int(n[1] or n[2]) <= stage.order for n in numbers if n)


def _readme(whole: Path, course: Course, stage: Stage) -> str:
    text = (whole / README).read_text(encoding="utf-8")
    rows = [
        f"| [{s.id}](assignments/{s.id}/README.md) | {s.title} |"
        for s in course.upto(stage)
    ]
    text = text.replace(STAGE_NAME, f"A={stage.id}".ljust(len(STAGE_NAME)))
    return text.replace(STAGE_LIST, "\n".join(("| stage | |", "|---|---|", *rows)))


def refresh(folder: Path, root: Path, course: Course, stage: Stage) -> None:
    """Replace the gap files of the stages before `stage` by the reference."""
    for earlier in course.upto(stage)[:-1]:
        for gap in earlier.all_gaps():
            target = folder / "assignments" / earlier.id / gap
            if target.exists():
                source = root / "solutions" / earlier.id / gap
                text = solved(source.read_text(encoding="utf-8"), gap)
                target.write_text(text, encoding="utf-8")
