# SPDX-License-Identifier: MIT
"""What is laid open reaches the verdict and the terminal, plain and marked."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import jsonschema
import pytest

from grader.checks.api import CheckFailed
from grader.evidence import decoded
from grader.evidence.descriptors import SegmentDescriptor
from grader.evidence.exhibit import KINDS, Exhibit, Row
from grader.reports import terminal
from grader.tests import causes
from grader.tests.causes import FOLDER, Record
from grader.verdict import write
from grader.verdict.model import CheckResult, Status, Verdict, plain_exhibit

SCHEMA = json.loads(Path(write.__file__).with_name("schema.json").read_text())
RECORDS = sorted(FOLDER.glob("*.json"))
DPL_0 = SegmentDescriptor(limit=0xFFFFF, type=0xA, s=1, dpl=0, p=1, db=1, g=1)
WANT = decoded.segment_wanted(code=True, dpl=3, wide=False)
SLOT = decoded.segment("Slot 3 of the GDT", DPL_0, WANT)


def verdict(*exhibits: Exhibit) -> Verdict:
    """A verdict of one failed check that shows these."""
    result = CheckResult(
        *("gdt-user-code", "1.3", "It is code.", Status.FAIL, 0, 3),
        seen="DPL is 0.",
        exhibits=tuple(plain_exhibit(exhibit) for exhibit in exhibits),
    )
    return Verdict(
        *("01-gdt", "Descriptors", "i386", Status.FAIL, 0, 3),
        seed="0" * 16,
        nonce="0" * 16,
        evidence_digest="0" * 64,
        sandbox="A",
        command="make grade",
        tools={},
        logs={},
        messages=(),
        checks=(result,),
    )


def printed(shown: Verdict, width: int) -> str:
    """What the terminal shows when it is no terminal."""
    text = io.StringIO()
    out = terminal.console(text)
    out.width = width
    terminal.report([shown], "0" * 16, out)
    return text.getvalue()


def test_a_field_that_is_wrong_is_marked_and_the_others_are_not() -> None:
    wrong = [row.cells for row in SLOT.rows if row.differs]
    assert wrong == [("DPL", "46..45", "0", "for ring 0", "3")]


def test_a_verdict_with_exhibits_follows_the_schema_and_comes_back() -> None:
    shown = verdict(SLOT)
    data = json.loads(json.dumps(shown.to_json()))
    jsonschema.validate(data, SCHEMA)
    assert Verdict.from_json(data) == shown
    kinds = SCHEMA["definitions"]["exhibit"]["properties"]["kind"]["enum"]
    assert tuple(kinds) == KINDS


def test_a_verdict_from_before_there_were_exhibits_is_still_read() -> None:
    data = json.loads(json.dumps(verdict().to_json()))
    del data["checks"][0]["exhibits"]
    jsonschema.validate(data, SCHEMA)
    assert Verdict.from_json(data) == verdict()


def test_the_terminal_names_a_check_as_the_check_that_it_blocks_does() -> None:
    assert "1.3   gdt-user-code: It is code." in printed(verdict(), 80)


def test_a_place_in_a_long_path_loses_nothing() -> None:
    place = f"{'/a-folder' * 20}/greet.c:12"
    text = io.StringIO()
    out = terminal.console(text)
    out.width = 80
    terminal.explanation([("at", place)], (), out, 2)
    assert "".join(text.getvalue().split()) == f"at{place}"


def test_the_terminal_shows_the_fields_that_are_wrong_and_no_others() -> None:
    text = printed(verdict(SLOT), 80)
    assert "Slot 3 of the GDT" in text and "46..45" in text
    assert "D/B" not in text and "\x1b" not in text


@pytest.mark.parametrize("path", RECORDS, ids=[path.stem for path in RECORDS])
def test_every_exhibit_fits_80_columns(path: Path) -> None:
    record = Record.read(path)
    found = causes.ask(record.scene(), record.ask, record.key)
    assert found is not None
    shown = verdict(*found.exhibits)
    jsonschema.validate(json.loads(json.dumps(shown.to_json())), SCHEMA)
    lines = printed(shown, 80).splitlines()
    assert max(len(line) for line in lines) <= 80


def test_hostile_text_in_an_exhibit_is_one_plain_line() -> None:
    hostile = Exhibit(
        "code", "a\x1b[31m\nTotal: 99", ("x\r",), (Row(("\x07" * 900,), True),), "\x9b"
    )
    shown = plain_exhibit(hostile)
    texts = (shown.title, *shown.columns, *shown.rows[0].cells, shown.note)
    assert all(text.isprintable() and len(text) <= 400 for text in texts)
    jsonschema.validate(json.loads(json.dumps(verdict(hostile).to_json())), SCHEMA)


def test_a_failed_check_carries_what_it_laid_open() -> None:
    failed = CheckFailed(expected="a", seen="b", exhibits=[SLOT])
    assert failed.exhibits == (SLOT,)
    again = dataclasses.replace(SLOT, note="changed")
    assert again != SLOT and SLOT.lines()[0] == "Slot 3 of the GDT"
