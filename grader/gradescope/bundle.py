# SPDX-License-Identifier: MIT
"""Makes the zip for Gradescope, of one stage, from what is committed.

It holds what grading needs and no more: the stages up to its own, their solutions, and
nothing else of the staff's. The same commit gives the same bytes.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from grader.course import Course
from grader.errors import OperatorError
from grader.files import write_bytes
from grader.git import git
from grader.gradescope import JOB
from grader.intake import submission
from grader.publish.content import held
from grader.settings import near

TAKEN = (
    *("Makefile", "ci/setup", "ci/tools.txt"),
    *("assignments/", "grader/", "kernel/", "solutions/", "user/"),
)
# Of what no student's branch has, this is needed: earlier stages are built from the
# reference, and it tells a fault of the grader's from one of the submission's.
NEEDED = ("solutions/", "grader/gradescope/", "grader/intake/")
SCRIPTS = Path("ci/gradescope")
ATTRIBUTES = ".gitattributes"
STAFFS = re.compile(r"(?m)^/(\S+) export-ignore$")
LONGEST_MINUTES = 40  # the platform takes no more
EPOCH = (1980, 1, 1, 0, 0, 0)


def bundle(root: Path, stage_id: str, arch: str, minutes: int) -> Path:
    """Write build/gradescope-<stage>.zip; minutes: how long the platform lets it run.

    Raises OperatorError.
    """
    course = Course.load(root)
    if not stage_id:
        raise OperatorError("no stage is given", "write A=01-gdt, or another stage")
    stage = course.stage(stage_id)
    if arch and arch not in stage.arches:
        mend = f"choose ARCH from {', '.join(stage.arches)}"
        raise OperatorError(f"{stage.id} is not offered for {arch}", mend)
    if not 1 < minutes <= LONGEST_MINUTES:
        what = f"MINUTES={minutes} is not from 2 to {LONGEST_MINUTES}"
        raise OperatorError(what, "give what Gradescope's settings say")
    committed = submission.commit(root, "HEAD", course).files
    everything = {p: d for p, d in committed.items() if isinstance(d, bytes)}
    attributes = everything.get(ATTRIBUTES, b"").decode()
    staffs = tuple(path for path in STAFFS.findall(attributes) if path)
    files = {
        path: data
        for path, data in everything.items()
        if held(Path(path), stage) and _wanted(path, staffs)
    }
    for script in ("setup.sh", "run_autograder"):
        files[script] = everything[str(SCRIPTS / script)]
    job = {
        "stage": stage.id,
        "arches": [arch] if arch else [*stage.arches],
        "minutes": minutes,
        "commit": git(root, "rev-parse", "HEAD"),
    }
    files[JOB] = (json.dumps(job, indent=2) + "\n").encode()
    name = "-".join(filter(None, ("gradescope", stage.id, arch)))
    place = root / "build" / f"{name}.zip"
    data = _packed(files)
    write_bytes(place, data)
    size = len(data) >> 10
    print(f"{near(place)}: {len(files)} files, {size} KiB, commit {job['commit']}")
    return place


def _wanted(path: str, staffs: Iterable[str]) -> bool:
    if path.startswith(NEEDED):
        return True
    ours = any(path == staff or path.startswith(f"{staff}/") for staff in staffs)
    return path.startswith(TAKEN) and not ours


def _packed(files: dict[str, bytes]) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(files):
            member = zipfile.ZipInfo(path, EPOCH)
            member.create_system = 3  # the mode is one of Unix
            mode = 0o755 if files[path].startswith(b"#!") else 0o644
            member.external_attr = (0o100000 | mode) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(member, files[path])
    return made.getvalue()
