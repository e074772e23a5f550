# SPDX-License-Identifier: MIT
"""The course's C library does what the system's does, for programs of both sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.tests.libc import VARIANTS, At, Compare, Server, build

FEW = settings(max_examples=30)
S, T, FORMAT = 0, 300, 600  # where texts lie in the memory of a call
KEPT = 704  # and where strtok_r and strtol store an address
EDGES = [sign << n for n in (7, 8, 15, 16, 31, 32, 63, 64) for sign in (1, -1)]
NEAR = [edge + by for edge in EDGES for by in (-2, -1, 0, 1, 2)]
INTEGERS = st.sampled_from([0, 0, 1, -1, 7, 8, 9, 10, 255, -1234, 99999, *NEAR])
FLAGS = dict.fromkeys("xXo", ["", "#", "0", "#0", "-", "#-"])
FLAGS |= dict.fromkeys("di", ["", "+", " ", "0", "-", "+0", " -", "+ ", "-0"])
FLAGS |= dict.fromkeys("csp", ["", "-"]) | {"u": ["", "0", "-"]}
LETTERS = st.sampled_from(b"abc\xe4")
TEXTS = st.lists(LETTERS, max_size=12).map(bytes)
SHORT_TEXTS = st.lists(LETTERS, max_size=3).map(bytes)


@pytest.fixture(scope="module", params=VARIANTS)
def libc(request: pytest.FixtureRequest) -> Iterator[Server]:
    with build(request.param).run() as server:
        yield server


def memory_of(texts: dict[int, bytes]) -> bytes:
    """These texts at their offsets, each with a NUL, and noise between them."""
    memory = bytearray(b"\x5a" * 1024)
    for at, text in texts.items():
        memory[at : at + len(text) + 1] = text + b"\0"
    return bytes(memory)


def sign(value: int) -> int:
    return (value > 0) - (value < 0)


@dataclass(frozen=True)
class Wide:
    """An argument of 64 bits, which are two words on i386."""

    value: int


@dataclass(frozen=True)
class Conversion:
    text: str
    arguments: tuple[int | bytes | Wide, ...] = ()


@st.composite
def conversions(draw: st.DrawFn) -> Conversion:
    """One whose meaning the C standard defines, with its arguments."""
    letter = draw(st.sampled_from("diuxXocsp%"))
    if letter == "%":
        return Conversion("%%")
    text = "%" + draw(st.sampled_from(FLAGS[letter]))
    arguments: list[int | bytes | Wide] = []
    width = draw(st.sampled_from(["", "1", "7", "30", "*"]))
    if width == "*":
        arguments.append(draw(st.integers(-30, 30)))
    precision = draw(st.sampled_from(["", ".", ".0", ".3", ".25", ".*"]))
    precision = "" if letter in "cp" else precision
    if precision == ".*":
        arguments.append(draw(st.integers(-5, 30)))
    text += width + precision
    if letter == "s":
        arguments.append(draw(TEXTS))
    elif letter in "cp":
        arguments.append(draw(st.integers(1, 255)))
    else:
        size = draw(st.sampled_from(["", "hh", "h", "l", "ll", "z", "j", "t"]))
        value = draw(INTEGERS)
        arguments.append(Wide(value) if size in ("ll", "j") else value)
        text += size
    return Conversion(text + letter, tuple(arguments))


@settings(max_examples=100)
@given(
    parts=st.lists(conversions(), min_size=1, max_size=5),
    size=st.sampled_from([0, 1, 2, 10, S + T]),
)
def test_snprintf_formats_alike(
    libc: Server, parts: list[Conversion], size: int
) -> None:
    texts = {FORMAT: " a".join(part.text for part in parts).encode()}
    words: list[int | At] = []
    for argument in (a for part in parts for a in part.arguments):
        if isinstance(argument, bytes):
            at = T + 20 * len(texts)
            texts[at] = argument
            words.append(At(at))
        elif isinstance(argument, Wide):
            words.append(argument.value)
            if libc.bits == 32:
                words.append(argument.value >> 32)
        else:
            words.append(argument)
    memory = memory_of(texts)
    ours, system = libc.both("snprintf", At(S), size, At(FORMAT), *words, memory=memory)
    assert ours.text(FORMAT) == texts[FORMAT]
    assert ours.memory == system.memory
    assert ours.signed(32) == system.signed(32)


def test_unknown_conversion_is_printed_as_it_stands(libc: Server) -> None:
    for text in (b"100%", b"%5k|%d", b"%-+#.3", b"%"):
        answer = libc.call("printf", At(S), 7, memory=memory_of({S: text}))
        assert answer.output == text.replace(b"%d", b"7")


@pytest.mark.parametrize("name", ["strcpy", "strcat"])
@FEW
@given(s=TEXTS, t=TEXTS)
def test_string_is_copied_alike(libc: Server, name: str, s: bytes, t: bytes) -> None:
    ours, system = libc.both(name, At(S), At(T), memory=memory_of({S: s, T: t}))
    assert ours.memory == system.memory
    assert (ours.in_memory, ours.result) == (True, S)


@FEW
@given(s=TEXTS, t=TEXTS, n=st.integers(0, 16), c=st.integers(0, 255))
def test_bounded_functions_do_alike(
    libc: Server, s: bytes, t: bytes, n: int, c: int
) -> None:
    memory = memory_of({S: s, T: t})
    calls: dict[str, tuple[int | At, ...]] = {
        "strncpy": (At(S), At(T), n),
        "strncat": (At(S), At(T), n),
        "memcpy": (At(S), At(T), n),
        "memmove": (At(S + 3), At(S + c % 7), n),
        "memset": (At(S), c, n),
        "memchr": (At(S), c, n),
        "strnlen": (At(S), n),
    }
    for name, arguments in calls.items():
        ours, system = libc.both(name, *arguments, memory=memory)
        assert (ours.result, ours.memory) == (system.result, system.memory), name
    for name in ("strncmp", "memcmp"):
        ours, system = libc.both(name, At(S), At(T), n, memory=memory)
        assert sign(ours.signed(32)) == sign(system.signed(32)), name


@FEW
@given(s=TEXTS, t=SHORT_TEXTS, c=st.sampled_from(b"abc\xe4\0"))
def test_strings_are_searched_alike(libc: Server, s: bytes, t: bytes, c: int) -> None:
    memory = memory_of({S: s, T: t})
    calls: dict[str, int | At] = {
        "strlen": 0,
        "strchr": c,
        "strrchr": c,
        "strstr": At(T),
        "strspn": At(T),
        "strcspn": At(T),
        "strpbrk": At(T),
    }
    for name, argument in calls.items():
        ours, system = libc.both(name, At(S), argument, memory=memory)
        wanted = (system.in_memory, system.result)
        assert (ours.in_memory, ours.result) == wanted, name
    ours, system = libc.both("strcmp", At(S), At(T), memory=memory)
    assert sign(ours.signed(32)) == sign(system.signed(32))


@pytest.mark.parametrize("name", ["strtok", "strtok_r"])
@FEW
@given(s=TEXTS, delimiters=SHORT_TEXTS)
def test_tokens_are_alike(libc: Server, name: str, s: bytes, delimiters: bytes) -> None:
    found = []
    for ours in (True, False):
        memory = memory_of({S: s, T: delimiters})
        first: At | int = At(S)
        tokens = []
        while True:
            answer = libc.call(name, first, At(T), At(KEPT), memory=memory, ours=ours)
            memory, first = answer.memory, 0
            if not answer.in_memory:
                break
            tokens.append(answer.text(answer.result))
        found.append((tokens, memory[:KEPT]))
    assert found[0] == found[1]


@FEW
@given(s=TEXTS, size=st.integers(0, 16))
def test_strlcpy_cuts_off_and_says_so(libc: Server, s: bytes, size: int) -> None:
    memory = memory_of({T: s})
    answer = libc.call("strlcpy", At(S), At(T), size, memory=memory)
    copied = s[: size - 1] + b"\0" if size else b""
    assert answer.result == len(s)
    assert answer.memory[: len(memory)] == copied + memory[len(copied) :]


def read_alike(libc: Server, text: str, base: int) -> None:
    memory = memory_of({S: text.encode()})
    for name in ("strtol", "strtoul"):
        ours, system = libc.both(name, At(S), At(KEPT), base, memory=memory)
        assert (ours.result, ours.memory) == (system.result, system.memory)
        assert (ours.error != 0) == (system.error != 0)
    ours, system = libc.both("atol", At(S), memory=memory)
    assert ours.result == system.result


@FEW
@given(
    text=st.from_regex(
        r"[ \t\n]?[-+]?(0|0x|0X)?[0-9a-zA-Z]{0,23}[ +g]?", fullmatch=True
    ),
    base=st.one_of(st.sampled_from([0, 10, 16]), st.integers(2, 36)),
)
def test_numbers_are_read_alike(libc: Server, text: str, base: int) -> None:
    read_alike(libc, text, base)


@pytest.mark.parametrize("most", [(1 << 31) - 1, (1 << 63) - 1])
def test_numbers_at_the_ends_of_their_range_are_read_alike(
    libc: Server, most: int
) -> None:
    for edge in (-2 * most, -most, most, 2 * most):
        for number in range(edge - 3, edge + 4):
            read_alike(libc, str(number), 10)


@FEW
@given(st.integers(-(1 << 31) + 1, (1 << 31) - 1))
def test_absolute_values_are_alike(libc: Server, value: int) -> None:
    for name in ("abs", "labs"):
        ours, system = libc.both(name, value, memory=b"")
        assert ours.signed(32) == system.signed(32)


def test_characters_are_classified_alike(libc: Server) -> None:
    kinds = "alnum alpha blank cntrl digit graph lower print punct space upper xdigit"
    for c in range(-1, 256):
        for kind in kinds.split():
            ours, system = libc.both(f"is{kind}", c, memory=b"")
            assert bool(ours.signed(32)) == bool(system.signed(32)), (kind, c)
        for name in ("tolower", "toupper"):
            ours, system = libc.both(name, c, memory=b"")
            assert ours.signed(32) == system.signed(32), (name, c)


@FEW
@given(
    size=st.integers(1, 9),
    data=st.binary(max_size=200),
    key=st.binary(min_size=9, max_size=9),
)
def test_sorting_and_searching_are_alike(
    libc: Server, size: int, data: bytes, key: bytes
) -> None:
    count = len(data) // size
    arguments = (At(S), count, size, Compare())
    ours, system = libc.both("qsort", *arguments, memory=data)
    assert ours.memory == system.memory

    elements = [ours.memory[i * size :][:size] for i in range(count)]
    for wanted in [*elements, key[:size]]:
        memory = ours.memory[:T] + wanted
        answer = libc.call("bsearch", At(T), *arguments, memory=memory)
        assert answer.in_memory == (wanted in elements)
        if answer.in_memory:
            assert ours.memory[answer.result :][:size] == wanted
            assert (answer.result - S) % size == 0


def test_same_seed_gives_the_same_numbers(libc: Server) -> None:
    def numbers(seed: int) -> list[int]:
        libc.call("srand", seed)
        return [libc.call("rand").signed(32) for _ in range(40)]

    for seed in (0, 1, 2, 0xFFFFFFFF):
        first = numbers(seed)
        assert first == numbers(seed)
        assert len(set(first)) == len(first)
        assert all(number >= 0 for number in first)
    assert numbers(2) != numbers(3)
