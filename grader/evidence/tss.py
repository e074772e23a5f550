# SPDX-License-Identifier: MIT
"""The task-state segment, and which I/O ports it opens to ring 3.

SDM 3A "Task-State Segment (TSS)" (7.2.1), "Task Management in 64-bit Mode" (7.7),
SDM 1 "I/O Permission Bit Map" (19.5.2).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

READ_TSS = 'SDM 3A "Task-State Segment (TSS)" (7.2.1)'
READ_TSS_64 = 'SDM 3A "Task Management in 64-bit Mode" (7.7)'
READ_BITMAP = 'SDM 1 "I/O Permission Bit Map" (19.5.2)'

TSS_BYTES = 104
IOMAP_BASE_OFFSET = 102
PORTS = 65536

_FIELDS_32 = struct.Struct("<26I")
_NAMES_32 = (
    "link esp0 ss0 esp1 ss1 esp2 ss2 cr3 eip eflags eax ecx edx ebx esp ebp esi edi"
    " es cs ss ds fs gs ldt trap_iomap"
).split()
_FIELDS_64 = struct.Struct("<I3QQ7QQHH")


@dataclass(frozen=True)
class Tss:
    """The fixed 104 bytes.

    stack0: esp0 or rsp0; ss0: 0 in long mode, which has none; ist: IST1 to IST7
    (long mode); saved: the registers of a 32-bit TSS by name (eip, esp, cs, …),
    which a task switch fills in.
    """

    wide: bool
    stack0: int
    ss0: int
    iomap_base: int
    ist: tuple[int, ...] = ()
    saved: tuple[tuple[str, int], ...] = ()

    @classmethod
    def decode(cls, raw: bytes, *, wide: bool) -> Tss:
        """From memory at the TSS base; raises ValueError if shorter than 104."""
        if len(raw) < TSS_BYTES:
            raise ValueError(f"a TSS of {TSS_BYTES} bytes, got {len(raw)}")
        if wide:
            all64 = _FIELDS_64.unpack(raw[:TSS_BYTES])
            return cls(True, all64[1], 0, all64[-1], ist=tuple(all64[5:12]))
        values = dict(zip(_NAMES_32, _FIELDS_32.unpack(raw[:TSS_BYTES])))
        base = values.pop("trap_iomap") >> 16
        return cls(
            False,
            values["esp0"],
            values["ss0"] & 0xFFFF,
            base,
            saved=tuple(values.items()),
        )

    def encode(self) -> bytes:
        """The fixed 104 bytes again; bits that no field holds are zero."""
        if self.wide:
            ist = self.ist + (0,) * (7 - len(self.ist))
            return _FIELDS_64.pack(
                0, self.stack0, 0, 0, 0, *ist[:7], 0, 0, self.iomap_base
            )
        values = dict.fromkeys(_NAMES_32, 0)
        values.update(self.saved)
        values.update(esp0=self.stack0, ss0=self.ss0, trap_iomap=self.iomap_base << 16)
        return _FIELDS_32.pack(*values.values())

    def explain(self) -> list[str]:
        """One line a field that entry from ring 3 uses."""
        if self.wide:
            used = [f"IST{n}={top:#x}" for n, top in enumerate(self.ist, 1) if top]
            lines = [f"rsp0={self.stack0:#x}", *used]
        else:
            lines = [f"esp0={self.stack0:#x}", f"ss0={self.ss0:#06x}"]
        return [*lines, f"I/O bitmap base={self.iomap_base:#x}"]

    def __str__(self) -> str:
        return ", ".join(self.explain())


@dataclass(frozen=True)
class OpenPorts:
    """Ports that ring 3 may use, as inclusive ranges in ascending order."""

    ranges: tuple[tuple[int, int], ...]

    @property
    def count(self) -> int:
        """How many ports are open."""
        return sum(last - first + 1 for first, last in self.ranges)

    def __contains__(self, port: int) -> bool:
        return any(first <= port <= last for first, last in self.ranges)

    def __str__(self) -> str:
        if not self.ranges:
            return "no port"
        shown = [f"{a:#x}" if a == b else f"{a:#x}-{b:#x}" for a, b in self.ranges[:4]]
        more = ", …" if len(self.ranges) > 4 else ""
        return f"{self.count} ports: {', '.join(shown)}{more}"


def open_ports(limit: int, iomap_base: int, memory: bytes, iopl: int = 0) -> OpenPorts:
    """Which single-byte ports CPL 3 may use.

    The CPU reads two bytes at iomap_base + port / 8; both must lie within the
    limit, and the port's bit must be clear. limit: the TSS's last valid offset;
    memory: the bytes from the TSS base on (beyond them counts as zero: open).
    """
    if iopl == 3:
        return OpenPorts(((0, PORTS - 1),))
    if limit < TSS_BYTES - 1:
        return OpenPorts(())
    last_byte = min(limit - 1 - iomap_base, PORTS // 8 - 1)
    ranges: list[tuple[int, int]] = []
    start = -1
    for at in range(last_byte + 1):
        offset = iomap_base + at
        mask = memory[offset] if offset < len(memory) else 0
        if mask == 0xFF or mask == 0:
            open_ = mask == 0
            if open_ and start < 0:
                start = at * 8
            elif not open_ and start >= 0:
                ranges.append((start, at * 8 - 1))
                start = -1
            continue
        for bit in range(8):
            port = at * 8 + bit
            if mask >> bit & 1 == 0 and start < 0:
                start = port
            elif mask >> bit & 1 and start >= 0:
                ranges.append((start, port - 1))
                start = -1
    if start >= 0:
        ranges.append((start, (last_byte + 1) * 8 - 1))
    return OpenPorts(tuple(ranges))
