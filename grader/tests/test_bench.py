# SPDX-License-Identifier: MIT
"""The kernel costs no more instructions than were recorded with the last release."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.bench.instructions import (
    FAST,
    GATE,
    HAND_OVER,
    SWITCH,
    compilers,
    recorded,
    reference,
    slower,
)
from grader.course import ARCHES, Course
from grader.settings import ROOT

LOOP, LOOPED = "    mov ecx, 20\nagain:\n    loop again\n", 21  # instructions


@pytest.mark.parametrize("arch", ARCHES)
def test_reference_costs_no_more_than_recorded(arch: str, tmp_path: Path) -> None:
    have, (made_with, before) = compilers(ROOT)[arch], recorded()
    if have != made_with[arch]:
        pytest.skip(f"recorded with {made_with[arch]}, and here is {have}")
    now = reference(Course.load(ROOT), arch, tmp_path)
    assert set(now) == set(before[arch])
    assert slower(now, before[arch]) == []


def test_loop_in_the_entry_is_counted_and_found(tmp_path: Path) -> None:
    course, src = Course.load(ROOT), tmp_path / "src"
    shutil.copytree(ROOT / "solutions", src)
    entry = src / "06-syscalls/i386/syscall_entry.asm"
    text, place = entry.read_text("utf-8"), "    mov ecx, SEL_KDATA"
    assert text.count(place) == 1
    entry.write_text(text.replace(place, LOOP + place), "utf-8")
    before = reference(course, "i386", tmp_path / "before")
    after = reference(course, "i386", tmp_path / "after", src)
    more = {
        name: after[name] - before[name] for name in (GATE, HAND_OVER, FAST, SWITCH)
    }
    assert more == {GATE: LOOPED, HAND_OVER: LOOPED, FAST: 0, SWITCH: 0}
    assert [line.partition(":")[0] for line in slower(after, before)] == [
        GATE,
        HAND_OVER,
    ]
    assert slower(before, before) == []
