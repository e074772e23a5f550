# SPDX-License-Identifier: MIT
"""User programs are built from the course's C and a submission's stubs, and no more."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from grader.build import SubmissionError, build_program
from grader.course import Course
from grader.sandbox import Tier, detect

ROOT = Path(__file__).resolve().parents[2]
STUBS = "06-syscalls/i386/stubs.h"
SOURCE = "programs/editor.c"
MAGIC = b"RINGLAB\0"
BASE = 0x50000000


@pytest.fixture(scope="module")
def course() -> Course:
    return Course.load(ROOT)


def build(course: Course, src: Path, optimise: str = "-O2") -> bytes:
    stage = course.stage("06-syscalls")
    return build_program(course, "i386", stage, src, src, SOURCE, optimise, BASE)


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    """The stubs of the reference, to be spoilt."""
    target = tmp_path / STUBS
    target.parent.mkdir(parents=True)
    shutil.copyfile(ROOT / "solutions" / STUBS, target)
    return tmp_path


@pytest.mark.parametrize("optimise", ["-O0", "-O2"])
def test_program_starts_with_a_header_that_names_its_addresses(
    course: Course, optimise: str
) -> None:
    data = build(course, ROOT / "solutions", optimise)
    magic, base, entry, end = struct.unpack("<8sIII", data[:20])
    assert (magic, base) == (MAGIC, BASE)
    assert BASE < entry < BASE + len(data) <= end


def test_error_in_the_stubs_is_reported_at_its_line(
    course: Course, submission: Path
) -> None:
    file = submission / STUBS
    lines = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([*lines[:-1], "int x = ;", "#endif"]), "utf-8")
    with pytest.raises(SubmissionError) as caught:
        build(course, submission)
    message = caught.value.messages[0]
    assert (message.file, message.line) == (STUBS, len(lines))
    assert message.severity == "error"


def test_missing_stub_is_the_submissions_fault(
    course: Course, submission: Path
) -> None:
    file = submission / STUBS
    file.write_text(file.read_text("utf-8").replace("syscall2(", "call2("), "utf-8")
    with pytest.raises(SubmissionError, match="syscall2"):
        build(course, submission)


def test_stubs_cannot_read_other_files(course: Course, submission: Path) -> None:
    file = submission / STUBS
    secret = submission / "secret"
    secret.write_text("secret")
    text = f'__asm__(".incbin \\"{secret}\\"");\n' + file.read_text("utf-8")
    file.write_text(text, "utf-8")
    if detect().tier is Tier.A:
        with pytest.raises(SubmissionError):
            build(course, submission)


def test_stubs_that_are_a_link_are_refused(course: Course, submission: Path) -> None:
    (submission / STUBS).unlink()
    (submission / STUBS).symlink_to(ROOT / "solutions" / STUBS)
    with pytest.raises(SubmissionError, match="link"):
        build(course, submission)
