# SPDX-License-Identifier: MIT
"""Each known mistake, recorded on a real QEMU, must be named for what it is."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.evidence import explain, registers, trace
from grader.evidence import scene as scenes
from grader.evidence.explain import Diagnosis, Scene
from grader.evidence.memory import Ram
from grader.evidence.registers import Registers
from grader.evidence.signatures import SIGNATURES
from grader.evidence.symbols import Place
from grader.tests.causes import Places

DATA = Path(__file__).parent / "data" / "evidence"


def scene(name: str, end: str, console: bytes = b"hello\n") -> Scene:
    regs = DATA / f"{name}.regs"
    stderr = DATA / f"{name}.stderr"
    pages = zlib.decompress((DATA / f"{name}.ram.z").read_bytes())
    return Scene(
        arch="x86_64" if name.startswith("x64") else "i386",
        end=end,
        events=trace.parse(DATA / f"{name}.log"),
        registers=registers.parse(regs.read_text()) if regs.exists() else None,
        ram=Ram(bytes(0x100000) + pages),
        console=console,
        stderr=stderr.read_text() if stderr.exists() else "",
    )


def complete(found: Diagnosis) -> bool:
    texts = (found.cause, found.seen, found.hint, found.read)
    named = found.read.startswith(("SDM", "kernel/include/"))
    return all(texts) and named and "{" not in "".join(texts)


TRIPLES = [
    ("esp0", "stack0-zero", ["esp0", "0x0", "0xfffffffc"]),
    ("ss0", "ss0-wrong", ["ss0", "0x0000"]),
    ("absent80", "gate-not-present", ["0x80", "present"]),
    ("userbit", "user-bit", ["0x1000e8", "PDE[0]", "0x0e"]),
    ("noidt", "idt-limit", ["0x06", "0x0", "holds none"]),
    ("x64-noltr", "no-ltr", ["TR"]),
    ("overflow", "stack-overflow", ["0x103ffc", "0x104000"]),
    ("x64-absent80", "gate-not-present", ["0x80"]),
    ("x64-userbit", "user-bit", ["PDPTE[0]", "0x100108"]),
]


@pytest.mark.parametrize("name, key, words", TRIPLES)
def test_a_triple_fault_is_explained(name: str, key: str, words: list[str]) -> None:
    found = explain.diagnose(scene(name, "TRIPLE_FAULT"))
    assert found.key == key and complete(found)
    assert "triple fault" in found.seen
    for word in words:
        assert word in found.cause


FAULTS = [
    ("missing80", "gate-missing"),
    ("dpl80", "gate-dpl"),
    ("decimal80", "gate-decimal"),
    ("limit80", "idt-limit"),
    ("csrpl0", "iret-cs-rpl"),
    ("ssrpl0", "iret-ss-rpl"),
    ("codedpl0", "code-dpl"),
    ("datadpl0", "iret-ss-rpl"),
    ("extra", "iret-frame"),
    ("x64-missing80", "gate-missing"),
    ("x64-iret", "iret-narrow"),
    ("gp", "privileged"),
    ("kdata", "data-dpl"),
]


@pytest.mark.parametrize("name, key", FAULTS)
def test_a_single_fault_is_explained(name: str, key: str) -> None:
    here = scene(name, "PANIC", b"[ringlab] panic: fault\nx\n[ringlab] panic end\n")
    found = explain.fault(here, here.interrupts[-1])
    assert found.key == key and complete(found)
    panic = explain.diagnose(here)
    assert panic.key == key and "panicked" in panic.cause


SILENT = [
    ("iopl", "iopl"),
    ("iopl", "pic-not-remapped"),
    ("keepseg", "data-segments"),
    ("noif", "if-clear"),
    ("ports", "ports-open"),
    ("x64-compat", "user-l-bit"),
]


@pytest.mark.parametrize("name, key", SILENT)
def test_a_silent_mistake_is_seen(name: str, key: str) -> None:
    found = explain.observe(scene(name, "DONE"))
    assert key in [d.key for d in found] and all(complete(d) for d in found)


def test_a_missing_eoi_shows_as_one_tick() -> None:
    one = (DATA / "timer.log").read_bytes()
    one = one[: one.index(b"Servicing", 40)]
    regs = registers.parse("EIP=00000000 EFL=00000202 [-------] CPL=3 II=0")
    here = Scene("i386", "CPU_LIMIT", trace.parse(one), regs)
    assert [d.key for d in explain.observe(here)][-1] == "eoi-missing"


def test_qemu_giving_up_without_a_tss_is_the_missing_ltr() -> None:
    found = explain.diagnose(scene("noltr", "QEMU_ABORT"))
    assert found.key == "no-ltr" and "invalid tss type" in found.seen
    assert "0x1000b7" in found.seen and complete(found)


def test_a_fault_loop_is_told_from_a_busy_loop() -> None:
    gp = (DATA / "gp.log").read_bytes()
    gp = gp[gp.index(b"check_exception") :]
    many = trace.parse(gp * 40)
    for end in ("CPU_LIMIT", "LOG_LIMIT"):
        loop = explain.diagnose(arch="i386", end=end, events=many)
        assert loop.key == "fault-loop" and "0x1000be" in loop.seen
    here = scene("timer", "CPU_LIMIT")
    assert explain.diagnose(here).key == "busy"


ENDS = {
    "HALTED": "halted",
    "CONSOLE_LIMIT": "endless-output",
    "LOG_LIMIT": "still-running",
    "RESET": "reset",
    "SHUTDOWN": "shutdown",
    "WALL_LIMIT": "idle",
    "TRIPLE_FAULT": "triple-fault",
}


@pytest.mark.parametrize("end, key", ENDS.items())
def test_every_end_has_words(end: str, key: str) -> None:
    found = explain.diagnose(scene("timer", end))
    assert found.key == key and complete(found)


def test_a_halted_cpu_is_shown_at_its_hlt() -> None:
    found = explain.diagnose(scene("gp", "HALTED"))
    assert "`hlt`" in found.seen and "interrupts off" in found.seen


STILL = {
    "HALTED": "`hlt` with interrupts off",
    "CPU_LIMIT": "an endless loop",
    "WALL_LIMIT": "waits in `hlt`",
}


@pytest.mark.parametrize("end, state", STILL.items())
def test_a_silent_boot_is_named_with_what_the_cpu_does(end: str, state: str) -> None:
    found = explain.diagnose(scene("timer", end, b"\r\n"))
    assert found.key == "silent" and complete(found)
    assert "nothing at all was printed" in found.cause and state in found.cause
    assert "nothing at all" not in explain.diagnose(scene("timer", end)).cause
    early = explain.diagnose(arch="i386", end=end)
    assert early.key == "silent" and "switching paging on" in early.cause


@pytest.mark.parametrize("end", ["TRIPLE_FAULT", "QEMU_ABORT"])
def test_a_silent_end_with_a_verdict_of_its_own_keeps_it(end: str) -> None:
    found = explain.diagnose(scene("noltr" if "QEMU" in end else "esp0", end, b""))
    assert found.key in ("no-ltr", "stack0-zero")


def test_what_grub_says_is_not_the_kernel_s() -> None:
    words = b"\x1b[H\x1b[J  Booting `ringlab'\n\r\n\r"
    silent = explain.diagnose(arch="i386", end="HALTED", console=words)
    assert silent.key == "silent"
    loud = explain.diagnose(arch="i386", end="HALTED", console=words + b"hello")
    assert loud.key == "halted"


def test_every_entry_of_the_catalogue_can_be_filled_in() -> None:
    class Any(dict[str, object]):
        def __missing__(self, key: str) -> str:
            return key

    for key, entry in SIGNATURES.items():
        assert entry.cause.format_map(Any()) and entry.hint.format_map(Any()), key
        assert entry.read.startswith(("SDM", "kernel/include/")), key


def test_a_name_outside_the_catalogue_is_refused() -> None:
    with pytest.raises(KeyError):
        explain.signature("no such mistake", "")


def test_a_dump_that_is_cut_off_anywhere_is_survived() -> None:
    whole = scene("x64-missing80", "HALTED")
    log = (DATA / "x64-missing80.log").read_bytes()
    for cut in range(log.find(b"v="), 1400):
        here = replace(whole, events=trace.parse(log[:cut]))
        for event in here.interrupts:
            assert explain.fault(here, event).cause


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_damaged_evidence_never_crashes(data: st.DataObject) -> None:
    names = sorted(p.name[:-6] for p in DATA.glob("*.ram.z"))
    name = data.draw(st.sampled_from(names))
    log = (DATA / f"{name}.log").read_bytes()
    cut = data.draw(st.integers(0, len(log)))
    keep = data.draw(st.integers(0, 0xB000))
    end = data.draw(st.sampled_from([*ENDS, "PANIC", "QEMU_ABORT", "DONE", "?"]))
    noise = data.draw(st.binary(max_size=64))
    whole = scene(name, end)
    assert whole.ram is not None
    ram = whole.ram.read(0, 0x100000 + keep) + noise
    here = Scene(
        whole.arch, end, trace.parse(log[:cut]), whole.registers, Ram(ram), None, noise
    )
    assert explain.diagnose(here).cause
    for event in here.interrupts:
        assert explain.fault(here, event).cause
    explain.observe(here)


FRAMES = 0x4000
PLACES = Places({at: Place(at, f"f{at:x}", 0, "a.c", at) for at in range(0x100, 0x140)})


def calls(*frames: tuple[int, int]) -> list[str]:
    """At 0x120, with pairs (next frame pointer, return address) at 0x4000, 0x4008, …"""
    ram = bytearray(0x5000)
    for number, pair in enumerate(frames):
        struct.pack_into("<II", ram, FRAMES + 8 * number, *pair)
    regs = Registers({"EIP": 0x120, "EBP": FRAMES})
    scene = Scene("i386", registers=regs, ram=Ram(bytes(ram)), symbols=PLACES)
    return [place.function for place in scene.calls(regs)]


def test_calls_are_followed_up_the_stack() -> None:
    up = [(FRAMES + 8, 0x111), (FRAMES + 16, 0x9999), (0, 0x131)]
    assert calls(*up) == ["f120", "f110", "f130"]  # no place is known of the second


@pytest.mark.parametrize("broken", [FRAMES, FRAMES - 8, 0, 0x4FFC, 0xFFFFFFF8])
def test_a_chain_of_frames_that_is_broken_ends(broken: int) -> None:
    assert calls((broken, 0x111)) == ["f120", "f110"]


def test_who_calls_itself_is_followed_so_far() -> None:
    deep = [(FRAMES + 8 * n, 0x111) for n in range(1, 1000 // 8)]
    assert calls(*deep) == ["f120"] + ["f110"] * (scenes._CALLS - 1)
