# SPDX-License-Identifier: MIT
"""Strategies for what QEMU prints: register dumps, deliveries, whole logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from hypothesis import strategies as st

from grader.evidence.registers import SEGMENT_NAMES

ARCHES = st.sampled_from(["i386", "x86_64"])
U16 = st.integers(0, 0xFFFF)
U32 = st.integers(0, 0xFFFFFFFF)
U64 = st.integers(0, (1 << 64) - 1)
_ROWS = {
    "i386": (
        ("EAX", "EBX", "ECX", "EDX"),
        ("ESI", "EDI", "EBP", "ESP"),
    ),
    "x86_64": (
        ("RAX", "RBX", "RCX", "RDX"),
        ("RSI", "RDI", "RBP", "RSP"),
        ("R8", "R9", "R10", "R11"),
        ("R12", "R13", "R14", "R15"),
    ),
}


@dataclass(frozen=True)
class State:
    """What stands in one dump. segments: selector, base, limit and flags of each."""

    arch: str
    values: dict[str, int]
    segments: dict[str, tuple[int, int, int, int]]
    gdt: tuple[int, int]
    idt: tuple[int, int]

    @property
    def digits(self) -> int:
        return 8 if self.arch == "i386" else 16

    def text(self) -> str:
        """The dump as QEMU 7.2 prints it in a log."""
        v, n = self.values, self.digits
        letter = "E" if n == 8 else "R"
        lines = [
            " ".join(f"{name:<3}={v[name]:0{n}x}" for name in row)
            for row in _ROWS[self.arch]
        ]
        lines.append(
            f"{letter}IP={v[letter + 'IP']:0{n}x} {letter}FL={v[letter + 'FL']:08x}"
            f" [-------] CPL={v['CPL']} II=0 A20=1 SMM=0 HLT={v['HLT']}"
        )
        for name in SEGMENT_NAMES:
            sel, base, limit, flags = self.segments[name]
            dpl = f" DPL={flags >> 13 & 3} DS   [-W-]"
            lines.append(
                f"{name:<3}={sel:04x} {base:0{n}x} {limit:08x} {flags:08x}{dpl}"
            )
        for name, (base, limit) in (("GDT", self.gdt), ("IDT", self.idt)):
            lines.append(f"{name}=     {base:0{n}x} {limit:08x}")
        lines.append(
            f"CR0={v['CR0']:08x} CR2={v['CR2']:0{n}x} CR3={v['CR3']:0{n}x}"
            f" CR4={v['CR4']:08x}"
        )
        debug = " ".join(f"DR{i}={0:0{n}x}" for i in range(4))
        lines += [debug + " ", f"DR6={0:0{n}x} DR7={0:0{n}x}"]
        lines += [f"CCS={0:0{n}x} CCD={0:0{n}x} CCO=CLR", f"EFER={v['EFER']:016x}"]
        return "\n".join(lines) + "\n"


@st.composite
def states(draw: st.DrawFn, arch: Optional[str] = None) -> State:
    """A dump with any values."""
    arch = arch or draw(ARCHES)
    word = U32 if arch == "i386" else U64
    letter = "E" if arch == "i386" else "R"
    names = [name for row in _ROWS[arch] for name in row]
    values = {name: draw(word) for name in (*names, letter + "IP", "CR2", "CR3")}
    values |= {name: draw(U32) for name in (letter + "FL", "CR0", "CR4")}
    values |= {"CPL": draw(st.integers(0, 3)), "HLT": draw(st.integers(0, 1))}
    values |= {"EFER": draw(U64), "II": 0, "A20": 1, "SMM": 0}
    segment = st.tuples(U16, word, U32, U32)
    segments = {name: draw(segment) for name in SEGMENT_NAMES}
    table = st.tuples(word, U32)
    return State(arch, values, segments, draw(table), draw(table))


@dataclass(frozen=True)
class Delivery:
    """One record: where it came from ("check", "device" or "int"), and its numbers."""

    origin: str
    v: int
    e: int
    state: State

    def text(self, number: int) -> str:
        """The record as QEMU 7.2 prints it."""
        s, n = self.state, self.state.digits
        letter = "E" if n == 8 else "R"
        head = {
            "check": f"check_exception old: 0xffffffff new {self.v:#x}\n",
            "device": f"Servicing hardware INT={self.v:#04x}\n",
            "int": "",
        }[self.origin]
        cs, ss = s.segments["CS"], s.segments["SS"]
        ip, sp = s.values[letter + "IP"], s.values[letter + "SP"]
        pc = cs[1] + ip & (1 << 4 * n) - 1
        return (
            f"{head}{number:6}: v={self.v:02x} e={self.e:04x}"
            f" i={self.origin == 'int':d} cpl={s.values['CPL']}"
            f" IP={cs[0]:04x}:{ip:0{n}x} pc={pc:0{n}x} SP={ss[0]:04x}:{sp:0{n}x}"
            f" env->regs[R_EAX]={0:0{n}x}\n{s.text()}"
        )


@st.composite
def deliveries(draw: st.DrawFn) -> Delivery:
    """A delivery with any values."""
    origin = draw(st.sampled_from(["check", "device", "int"]))
    return Delivery(origin, draw(st.integers(0, 255)), draw(U16), draw(states()))


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """`data` cut off somewhere, with some bits flipped."""
    kept = bytearray(data[: draw(st.integers(0, len(data)))])
    if kept:
        for at in draw(st.lists(st.integers(0, len(kept) - 1), max_size=8)):
            kept[at] ^= 1 << draw(st.integers(0, 7))
    return bytes(kept)
