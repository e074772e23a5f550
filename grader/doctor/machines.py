# SPDX-License-Identifier: MIT
"""What QEMU and GRUB show of two kernels whose every step is known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.doctor.facts import Facts, Known
from grader.evidence import registers
from grader.evidence.memory import Ram
from grader.evidence.trace import Block, Code, Interrupt, TripleFault, parse
from grader.evidence.tss import TSS_BYTES, Tss
from grader.machine import Boot, IsoError, Limits, Run, Via, run
from grader.sandbox import Sandbox

BASE = 0x100000  # where the kernels lie, see known/<arch>.asm
FRAME_WORDS, FRAME_FLAGS = 6, 3  # error code, IP, CS, flags, SP, SS
EFLAGS_RF = 1 << 16  # pushed for a fault by newer QEMUs, as by a CPU
WORD = {"i386": 4, "x86_64": 8}
DEFINES = {"good": (), "bad": ("-DBAD",)}
LIMITS = Limits(cpu_s=2.0, wall_s=30.0)
# The tool that is to blame, and how it boots.
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "direct": ("qemu-system-{arch}", {}),
    "SeaBIOS": ("qemu-system-{arch}", {"screen": True}),
    "grub": ("GRUB or qemu-system-{arch}", {"via": Via.GRUB}),
}


def images(arch: str, sandbox: Sandbox, folder: Path) -> Iterator[Known]:
    """Assemble both kernels, boot each in both ways, and tell what was seen."""
    for name, defines in DEFINES.items():
        home = folder / f"{arch}-{name}"
        home.mkdir(mode=0o755)
        made, source = home / "kernel", home / f"{arch}.asm"
        # A copy: tier B's user may not look into the grader's own folders.
        known = Path(__file__).with_name("known") / source.name
        source.write_bytes(known.read_bytes())
        source.chmod(0o644)
        argv = ["nasm", "-f", "bin", *defines, str(source), "-o", str(made)]
        result = sandbox.run(argv, cwd=home, rw=[home])
        if result.status != 0:
            said = (result.stderr + result.stdout).decode("utf-8", "replace").strip()
            yield Known("nasm", f"{arch} {name} image", {"assembled": said[:300]})
            continue
        digest = hashlib.sha256(made.read_bytes()).hexdigest()
        yield Known("nasm", f"{arch} {name} image", {"sha256": digest})
        for way, (tool, fields) in WAYS.items():
            boot = Boot(
                name,
                made,
                arch=arch,
                trace=("int", "cpu_reset", "exec", "in_asm"),
                trace_ranges=((BASE, BASE + made.stat().st_size - 1),),
                limits=LIMITS,
                **fields,
            )
            who = tool.format(arch=arch)
            try:
                seen = run(boot, home / way, sandbox)
            except (IsoError, OSError) as error:
                failed = {"end": str(error)[:300]}
                yield Known(who, f"{arch} {name} boot", failed, way)
                continue
            yield Known(who, f"{arch} {name} boot", facts(arch, seen), way)
            if seen.screen is not None:
                corner = {"corner": seen.screen.read_bytes()[:2].hex()}
                yield Known(who, f"{arch} {name} screen", corner, way)


def facts(arch: str, seen: Run) -> Facts:
    """All that a verdict would rest on; the loader's own traces are left out."""
    console = seen.console.decode("ascii", "replace")
    last = registers.parse(seen.registers)
    found: Facts = {
        "end": f"{seen.end.value} {seen.detail or seen.stderr}".strip(),
        "console": console[max(console.find("in ring 0"), 0) :],
        "mode": f"paging {last.paging}, long mode {last.long_mode}",
    }
    for name in ("CS", "SS", "DS", "TR"):
        part = last.segments.get(name)
        if part is not None:
            shown = f"{part.selector:04x} limit {part.limit:x} DPL {part.dpl}"
            found[f"register {name}"] = shown
    found |= {f"trace {n}": text for n, text in enumerate(_trace(seen.trace), 1)}
    ram, task = Ram(seen.ram), last.segments.get("TR")
    raw = ram.read(task.base, TSS_BYTES) if task is not None else b""
    if len(raw) == TSS_BYTES:
        stack, size = Tss.decode(raw, wide=arch == "x86_64").stack0, WORD[arch]
        places = range(stack - FRAME_WORDS * size, stack, size)
        words = [ram.number(place, size) or 0 for place in places]
        words[FRAME_FLAGS] &= ~EFLAGS_RF
        found["frame"] = " ".join(f"{word:x}" for word in words)
    return found


def _trace(log: Path) -> Iterator[str]:
    """Exceptions of the kernel's code, and what ran in ring 3."""
    for event in parse(log):
        if isinstance(event, Interrupt) and BASE <= event.pc < 2 * BASE:
            place = f"{event.cs:04x}:{event.ip:x} {event.ss:04x}:{event.sp:x}"
            flags = event.regs.flags or 0
            yield (
                f"v={event.v:02x} e={event.e:x} i={event.i} cpl={event.cpl} {place}"
                f" old={event.old or 0:x} new={event.new or 0:x} flags={flags:x}"
            )
        elif isinstance(event, TripleFault):
            yield f"triple fault old={event.old or 0:x} new={event.new or 0:x}"
        elif isinstance(event, Block) and event.cpl == 3:
            yield f"a block at {event.pc:x} entered at CPL 3"
        elif isinstance(event, Code) and event.code == b"\xfa":
            yield f"cli translated at {event.pc:x}"
