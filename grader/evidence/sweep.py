# SPDX-License-Identifier: MIT
"""The #GP records of a sweep over all I/O ports, counted in one pass.

65,536 records are 67 MB, too much to make an event of each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


PART_BYTES = 4 << 20  # read at once: the whole log need not be in memory
RECORD_BYTES = 4096  # longer than any record, so none is lost between two parts


@dataclass(frozen=True)
class Sweep:
    """What a sweep over the I/O ports gave.

    ports: DX at each genuine #GP(0); faults: how many such records there are.
    """

    ports: frozenset[int]
    faults: int


def _sweep_pattern(pc: int, wide: bool) -> re.Pattern[bytes]:
    """One genuine #GP record, with DX as the only group.

    Widths are fixed, so `.` counted in bytes skips what does not matter. In
    EFLAGS the fifth digit holds IOPL in its low bits, the fourth VM as bit 1.
    """
    n = 16 if wide else 8
    at = b"%0*x" % (n, pc)
    word = b".{%d}" % n
    r = b"R" if wide else b"E"
    row = b"... ?=" + word
    user = b"[0-9a-f]{3}[37bf]"
    head = b" *[0-9]+: v=0d e=0000 i=0 cpl=3 IP=%b:%b pc=%b SP=....:%b [^\n ]+"
    # The port is DX, the low 16 bits of the last register of its line.
    data = b"%bAX=%b %b %b %bDX=.{%d}([0-9a-f]{4})"
    state = b"%bIP=%b %bFL=...[014589cd][048c]... .{9} CPL=3 [^\n]*"
    code = b"CS =%b 0{%d} %b .{8} DPL=3 %b"
    lines = [
        b"check_exception old: 0xffffffff new 0xd",
        head % (user, at, at, word),
        data % (r, word, row, row, r, n - 4),
        *[b" ".join([row] * 4)] * (3 if wide else 1),
        state % (r, at, r),
        b"ES =[^\n]*",
        code % ((user, n) + ((b".{8}", b"CS64") if wide else (b"f{8}", b"CS32"))),
    ]
    # The rest of a dump is longer than this; skipping it saves a third.
    return re.compile(b"\n".join(lines) + b".{400}", re.DOTALL)


def sweep(path: Path, pc: int) -> Sweep:
    """Which ports refused ring 3: the #GP(0) records at one instruction.

    The conditions of trace.is_genuine_fault, in one pass over the raw bytes;
    a record cut off at the end does not count. pc: linear address of the `in` or `out`.
    """
    if not path.is_file():
        return Sweep(frozenset(), 0)
    ports: set[bytes] = set()
    faults = 0
    pattern: re.Pattern[bytes] | None = None
    rest = b""
    with path.open("rb") as file:
        while part := file.read(PART_BYTES):
            data = rest + part
            if pattern is None:
                sample = re.search(rb"\bIP=[0-9a-f]{4}:([0-9a-f]+) ", data)
                pattern = _sweep_pattern(pc, len(sample[1]) == 16) if sample else None
            end = max(0, len(data) - RECORD_BYTES)
            for record in pattern.finditer(data) if pattern else ():
                ports.add(record[1])
                faults += 1
                end = max(end, record.end())
            rest = data[end:]
    return Sweep(frozenset(int(digits, 16) for digits in ports), faults)
