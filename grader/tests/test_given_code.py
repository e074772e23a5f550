# SPDX-License-Identifier: MIT
"""What the CPU was given to execute, read from a log too long to parse."""

from __future__ import annotations

from pathlib import Path

from grader.evidence import trace
from grader.evidence.trace import Code

PIECE = (
    b"----------------\n"
    b"IN: \n"
    b"0x8391d904:  31 d2                    xorl     %edx, %edx\n"
    b"0x8391d906:  ec                       inb      %dx, %al\n"
    b"\n"
)
FAULT = b"check_exception old: 0xffffffff new 0xd\n     0: v=0d e=0000 i=0 cpl=3\n"


def _given(tmp_path: Path, log: bytes) -> list[Code]:
    path = tmp_path / "trace.log"
    path.write_bytes(log)
    return trace.given(path)


def test_every_piece_counts_in_its_order(tmp_path: Path) -> None:
    patched = PIECE.replace(b"  ec ", b"  f4 ")
    found = _given(tmp_path, PIECE + FAULT + patched + FAULT + PIECE)
    codes = [piece.code.hex() for piece in found]
    assert codes == ["31d2ec", "31d2f4", "31d2ec"]
    assert {piece.pc for piece in found} == {0x8391D904}


def test_a_piece_that_is_cut_off_still_counts(tmp_path: Path) -> None:
    assert _given(tmp_path, PIECE[:60]) == [Code(0x8391D904, b"\x31\xd2")]


def test_no_log_gives_nothing(tmp_path: Path) -> None:
    assert trace.given(tmp_path / "missing") == []
    assert _given(tmp_path, b"") == []
    assert _given(tmp_path, FAULT) == []
