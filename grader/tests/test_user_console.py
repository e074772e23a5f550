# SPDX-License-Identifier: MIT
"""What programs print arrives in whole lines, and what is typed can be edited."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.tests.libc import ROOT, VARIANTS, At, Server, build

FEW = settings(max_examples=40)
LINE, HISTORY = 0, 128  # where a line and a history lie in the memory of a call
HISTORY_LINES, HISTORY_BYTES = 16, 80  # edit.h
UP, DOWN, RIGHT, LEFT = b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D"


@pytest.fixture(scope="module", params=VARIANTS)
def libc(request: pytest.FixtureRequest) -> Iterator[Server]:
    with build(request.param).run() as server:
        yield server


@dataclass
class Line:
    """What the keys must do: a text and a cursor."""

    text: bytes = b""
    cursor: int = 0

    def key(self, key: bytes, most: int) -> None:
        left, right = self.text[: self.cursor], self.text[self.cursor :]
        if key == b"\b":
            left = left[:-1]
        elif key in (b"\x1b[3~", b"\x04"):
            right = right[1:]
        elif key == b"\x15":
            left = b""
        elif key == b"\x0b":
            right = b""
        elif key in (b"\x1b[H", b"\x1b[1~", b"\x1bOH", b"\x01"):
            left, right = b"", left + right
        elif key in (b"\x1b[F", b"\x1b[4~", b"\x05"):
            left, right = left + right, b""
        elif key == LEFT:
            left, right = left[:-1], left[-1:] + right
        elif key == RIGHT:
            left, right = left + right[:1], right[1:]
        elif key.isalpha() and len(self.text) < most:
            left += key
        self.text, self.cursor = left + right, len(left)


MOVES = (
    b"\b \x1b[3~ \x15 \x0b \x1b[H \x1b[1~ \x1bOH \x01 \x1b[F \x1b[4~ \x05 \x1b[5~ \t"
)
KEYS = st.one_of(
    st.sampled_from([bytes([c]) for c in b"abcdefgh"]),
    st.sampled_from([b"\b", LEFT, RIGHT, LEFT, *MOVES.split(b" "), UP, DOWN]),
)


def screen(output: bytes) -> bytes:
    """What a terminal shows of the last line, which ends with \\n, without blanks."""
    cells, at = bytearray(), 0
    for c in output[:-1]:
        if c == 8:
            at -= 1
            assert at >= 0
            continue
        assert c >= 32
        cells[at : at + 1] = bytes([c])
        at += 1
    return bytes(cells.rstrip())


@FEW
@given(keys=st.lists(KEYS, max_size=30), size=st.sampled_from([1, 2, 6, 80]))
def test_line_is_what_the_keys_say_and_the_screen_shows(
    libc: Server, keys: list[bytes], size: int
) -> None:
    line = Line()
    for key in keys:
        if key == b"\x04" and not line.text:
            break
        line.key(key, size - 1)
    typed = b"".join(keys) + b"\n"
    answer = libc.call("read_line", At(LINE), size, memory=b"\x5a" * 512, typed=typed)
    assert answer.text(LINE) == line.text
    assert answer.result == len(line.text)
    assert answer.memory[size:512] == b"\x5a" * (512 - size)
    assert screen(answer.output) == line.text


class Desk:
    """A console with a history, at the offset HISTORY of the memory."""

    def __init__(self, libc: Server) -> None:
        self.libc = libc
        self.memory = b""

    def type(self, keys: bytes) -> bytes:
        where = (At(LINE), HISTORY_BYTES + 10, At(HISTORY))
        answer = self.libc.call("edit_line", *where, memory=self.memory, typed=keys)
        self.memory = answer.memory
        text = answer.text(LINE)
        assert screen(answer.output) == text
        assert answer.signed(32) == len(text)
        return text


@FEW
@given(
    count=st.integers(0, 40),
    begun=st.sampled_from([b"", b"begun"]),
    moves=st.lists(st.integers(-5, 20), max_size=5),
)
def test_arrows_go_through_the_lines_typed_before(
    libc: Server, count: int, begun: bytes, moves: list[int]
) -> None:
    desk = Desk(libc)
    lines = [f"line {n}".encode() * (n % 3 + 1) for n in range(count)]
    for line in lines:
        assert desk.type(line + b"\n") == line
    lines = [*lines[-(HISTORY_LINES - 1) :], begun]
    at = len(lines) - 1
    keys = b""
    for up in moves:
        at = min(max(at - up, 0), len(lines) - 1)
        keys += UP * up + DOWN * -up
    assert desk.type(begun + keys + b"\n") == lines[at]


def test_recalled_line_can_be_edited_and_stays_as_it_was(libc: Server) -> None:
    desk = Desk(libc)
    desk.type(b"hello\n")
    assert desk.type(UP + b"\b\b!\n") == b"hel!"
    assert desk.type(UP + UP + b"\n") == b"hello"


def test_history_keeps_no_line_twice_none_empty_and_none_too_long(
    libc: Server,
) -> None:
    desk = Desk(libc)
    for line in (b"first", b"again", b"again", b"", b"x" * HISTORY_BYTES):
        assert desk.type(line + b"\n") == line
    assert desk.type(UP + b"\n") == b"again"
    assert desk.type(UP + UP + b"\n") == b"first"


def test_control_d_ends_the_input_on_an_empty_line_only(libc: Server) -> None:
    answer = libc.call("edit_line", At(LINE), 80, 0, typed=b"ab\x04\x15\x04")
    assert answer.signed(32) == -1
    assert libc.call("getchar", typed=b"\x04").signed(32) == -1


def test_characters_come_line_by_line(libc: Server) -> None:
    typed = b"al\b\bok\n\n"
    first = libc.call("getchar", typed=typed)
    rest = [libc.call("getchar").signed(32) for _ in range(3)]
    assert bytes([first.signed(32), *rest]) == b"ok\n\n"


@FEW
@given(st.lists(st.integers(0, 250), min_size=1, max_size=4))
def test_getline_takes_lines_of_any_length(libc: Server, lengths: list[int]) -> None:
    typed = b"".join(b"x" * length + b"\n" for length in lengths)
    memory = b"\0" * 16  # a pointer and a size
    block = 0
    for length in lengths:
        answer = libc.call("getline", At(0), At(8), memory=memory, typed=typed)
        typed, memory = b"", answer.memory
        assert answer.signed(32) == length + 1
        block = int.from_bytes(memory[: libc.bits // 8], "little")
        assert int.from_bytes(memory[8:12], "little") > length + 1
        copy = libc.call("strcpy", At(LINE), block)
        assert copy.text(LINE) == b"x" * length + b"\n"
    libc.call("free", block)


def test_getline_says_when_there_is_no_more(libc: Server) -> None:
    answer = libc.call("getline", At(0), At(8), memory=b"\0" * 16, typed=b"\x04")
    assert answer.signed(32) == -1


def test_line_is_one_call(libc: Server) -> None:
    def printed(name: str, text: bytes, *rest: int) -> tuple[bytes, int]:
        answer = libc.call(name, At(0), *rest, memory=text + b"\0")
        assert answer.signed(32) >= 0
        return answer.output, answer.writes

    assert printed("printf", b"%80d|\n", -5) == (b"%80d|\n" % -5, 1)
    assert printed("printf", b"%300d|\n", -5) == (b"%300d|\n" % -5, 3)
    assert printed("puts", b"a line") == (b"a line\n", 1)
    assert printed("printf", b"") == (b"", 0)
    assert libc.call("putchar", ord("%")).output == b"%"


def test_every_error_has_a_text_of_its_own(libc: Server) -> None:
    header = (ROOT / "kernel/include/abi/error.h").read_text("utf-8")
    values = [int(value) for value in re.findall(r"E_\w+ = (-?\d+)", header)]
    texts = set()
    for value in [*values, 1]:
        text = libc.call("strerror", value).result
        texts.add(libc.call("strcpy", At(LINE), text).text(LINE))
    assert len(texts) == len(values) + 1 > 10
