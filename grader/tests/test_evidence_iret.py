# SPDX-License-Identifier: MIT
"""Of the words that `iret` pops the wrong one is named, and what is wrong with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.evidence import explain, iret
from grader.evidence.scene import Scene
from grader.evidence.trace import Interrupt
from grader.tests.causes import FOLDER, LINE_BYTES, Lines, Record

IP, FLAGS, SP = 0x57A5E3E6, 0x202, 0x98758CE0
CODE = {"i386": (0x1B, 0x23), "x86_64": (0x23, 0x1B)}
EXTRA = 0x12345678
SIZE = {"i386": 4, "x86_64": 8}


def refused(arch: str, words: list[int], error: int) -> tuple[Scene, Interrupt]:
    """A #GP at `iret` with these words on the stack, and that error code."""
    record = Record.read(FOLDER / f"iret-cs-rpl-{arch}.json")
    scene = record.scene()
    (event,) = [e for e in scene.interrupts if e.fault][-1:]
    walk = scene.walk(event.regs, event.sp)
    assert walk is not None and walk.pa is not None
    size = SIZE[arch]
    raw = b"".join(word.to_bytes(size, "little") for word in words)
    at = walk.pa - walk.pa % LINE_BYTES
    assert isinstance(scene.ram, Lines)
    whole = bytearray(scene.ram.read(at, 4 * LINE_BYTES))
    whole[walk.pa - at :] = raw.ljust(4 * LINE_BYTES - (walk.pa - at), b"\0")
    cut = range(0, 4 * LINE_BYTES, LINE_BYTES)
    fresh = {at + n: bytes(whole[n : n + LINE_BYTES]) for n in cut}
    mended = replace(event, e=error)
    here = replace(scene, events=[mended], ram=Lines({**scene.ram.lines, **fresh}))
    return here, mended


def frame(arch: str, order: str) -> list[int]:
    """Words by letter: I address, C code, F flags, S stack, D data, X any other."""
    code, data = CODE[arch]
    values = {"I": IP, "C": code, "F": FLAGS, "S": SP, "D": data, "X": EXTRA}
    values |= {"0": 0, "K": 0x08, "L": code | 4}
    return [values[letter] for letter in order]


CASES = [
    ("XICFSD", "one word too many on top (0x12345678)"),
    ("XXICFSD", "2 words too many on top"),
    ("ICXFSD", "one word too many between CS and SS"),
    ("ICFD0", "they are swapped, or a word is missing"),
    ("ICFDS", "they are swapped, or a word is missing"),
    ("CFSD0", "begins with CS"),
    ("IDFSC", "CS and SS are swapped"),
    ("CIFSD", "the address and CS are swapped"),
    ("DSFCI", "reverse order"),
    ("IFCSD", "CS and the flags are swapped"),
    ("ICFSC", "SS names the code segment"),
    ("I0FSD", "CS is 0x0, a null selector"),
    ("ILFSD", "names the LDT"),
    ("IXFS0", "no selector"),
    ("ICFS0", "SS is 0x0, a null selector"),
    ("IKFSD", "the kernel's, which does not lead to ring 3"),
]


@pytest.mark.parametrize("arch", ["i386", "x86_64"])
@pytest.mark.parametrize("order, words", CASES)
def test_the_word_is_named(arch: str, order: str, words: str) -> None:
    scene, event = refused(arch, frame(arch, order), 0)
    found = explain.fault(scene, event)
    assert found.key == "iret-frame" and words in found.cause
    shown = next(e for e in found.exhibits if e.kind == "frame")
    assert any(row.differs for row in shown.rows)


@pytest.mark.parametrize("arch", ["i386", "x86_64"])
def test_a_sound_frame_has_no_wrong_word(arch: str) -> None:
    scene, event = refused(arch, frame(arch, "ICFSD"), 0)
    name = "iretd" if arch == "i386" else "iretq"
    whole = iret.frame_of(scene, event.regs, event.sp, name)
    assert iret.disorder(whole) == ""
    assert not any(row.differs for row in iret.exhibit(whole).rows)


@pytest.mark.parametrize("arch", ["i386", "x86_64"])
def test_what_lies_above_a_frame_is_no_part_of_it(arch: str) -> None:
    scene, event = refused(arch, [*frame(arch, "ICFS"), 0x10, CODE[arch][1]], 0x10)
    found = explain.fault(scene, event)
    assert found.key == "iret-ss-rpl" and "DPL (0)" in found.cause


def test_an_address_that_is_not_canonical_is_named() -> None:
    words = frame("x86_64", "ICFSD")
    words[0] = 1 << 47
    scene, event = refused("x86_64", words, 0)
    assert "is not canonical" in explain.fault(scene, event).cause


@pytest.mark.parametrize("arch", ["i386", "x86_64"])
@pytest.mark.parametrize(
    "order, words", [("KFSX0", "begins with CS"), ("XIKF0", "one word too many")]
)
def test_a_frame_back_to_ring_0_is_not_measured_by_ring_3(
    arch: str, order: str, words: str
) -> None:
    found = explain.fault(*refused(arch, frame(arch, order), 0))
    assert found.key == "iret-frame" and words in found.cause
    assert not any(exhibit.kind == "frame" for exhibit in found.exhibits)
    assert ("SS" in found.hint) == (arch == "x86_64")


@pytest.mark.parametrize("arch", ["i386", "x86_64"])
def test_of_a_frame_at_the_end_of_its_stack_the_rest_is_judged(arch: str) -> None:
    scene, event = refused(arch, [], 0)
    words = frame(arch, "CFSD")
    cut = iret.Frame(scene, event.regs, event.sp, SIZE[arch], words)
    assert "begins with CS" in iret.disorder(cut)
