# SPDX-License-Identifier: MIT
"""Every cause of the catalogue has a recorded run, and is explained word by word.

The texts are rewritten by `python3 -m grader.tests.record_cause --golden`: read the
difference before you commit it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.evidence.signatures import KFREE_BYTE, SIGNATURES
from grader.settings import ROOT
from grader.tests import causes
from grader.tests.causes import FOLDER, Record

RECORDS = sorted(FOLDER.glob("*.json"))
ARCHES = ("i386", "x86_64")
# What the other architecture has no such thing as.
ONLY = {
    "data-segments": "i386",
    "ss0-wrong": "i386",
    "qemu-abort": "i386",
    "delivery": "i386",
    "iret-narrow": "x86_64",
    "not-canonical": "x86_64",
    "root-no-address": "x86_64",
    "user-l-bit": "x86_64",
}


@pytest.mark.parametrize("path", RECORDS, ids=[path.stem for path in RECORDS])
def test_the_cause_is_told_in_the_words_of_its_golden_file(path: Path) -> None:
    record = Record.read(path)
    found = causes.ask(record.scene(), record.ask, record.key)
    assert found is not None and record.name == path.stem
    assert causes.golden(found) == path.with_suffix(".txt").read_text("utf-8")


def test_every_cause_has_a_golden_file_and_every_golden_file_a_cause() -> None:
    wanted = {
        f"{key}-{arch}"
        for key in SIGNATURES
        for arch in ARCHES
        if ONLY.get(key, arch) == arch
    }
    assert {path.stem for path in RECORDS} == wanted
    assert {path.stem for path in FOLDER.glob("*.txt")} == wanted


def test_the_byte_that_freed_memory_is_told_by_is_the_kernel_s() -> None:
    header = (ROOT / "kernel/include/memory.h").read_text("utf-8")
    assert f"#define KFREE_BYTE {KFREE_BYTE:#x}\n" in header


def test_no_record_is_larger_than_it_must_be() -> None:
    assert all(path.stat().st_size < 64 << 10 for path in RECORDS)
