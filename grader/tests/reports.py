# SPDX-License-Identifier: MIT
"""Runs to make reports of: a recorded one, and one full of hostile text."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from grader.evidence.address_map import AddressMap, Cell, Row, Tree
from grader.evidence.exhibit import Exhibit
from grader.evidence.exhibit import Row as Line
from grader.evidence.process_map import Area, Held, ProcessMap
from grader.verdict.model import BuildMessage, CheckResult, Status, Verdict, plain
from grader.verdict.write import write_summary, write_verdict

RECORDED = Path(__file__).with_name("data") / "reports"
SEED = "0123456789abcdef"
HOSTILE = (
    "<script>alert(1)</script> </pre></details><img src=http://evil/x onerror=a()>"
    " \x1b[31mred\x1b[0m \u202eright to left\u202c \x00\x07"
    " ```\n```` \n# Total: 100/100 points\n| a | b |\n@staff [x](http://evil)"
    " ]]> <failure/> &amp; {{ 7*7 }} {% raw %}"
)


def recorded(folder: Path) -> Path:
    """A copy of a recorded run, with a screen in colours; returns its OUT."""
    out = folder / "out"
    shutil.copytree(RECORDED, out)
    row = b"".join(bytes((code, 0x1E)) for code in b"rows of K and U".ljust(80))
    screen = (row + b"\x03\x4f" * 80).ljust(4000, b"\0")
    boot = out / "i386/05-threads/runs/mixed"
    (boot / "vga.bin").write_bytes(screen)
    data = json.loads((boot / "portrait.json").read_text("utf-8"))
    (boot / "portrait.json").write_text(json.dumps(data | maps("process")), "utf-8")
    return out


def maps(name: str) -> dict[str, Any]:
    """Maps as a portrait holds them: all kinds of cells, and an area half there."""
    cells = [
        Cell("user", "rw-", 9, ((0x5000, 4096), (0x7000, 8192)), (f"{name} 1",), 7),
        Cell("open", "r-x", 1),
        Cell("kernel", "rwx", 1 << 36),
        Cell(),
    ]
    trees = tuple(Tree(f"{name} {n}", n << 47, (), n > 1, n) for n in range(4))
    rows = tuple(
        Row(n << 44, (n << 44) + 4096, name, tuple(cells[n:] + cells[:n]), watched)
        for n, watched in enumerate((None, 1 << 44, None, 3 << 44))
    )
    area = Area(1 << 44, (1 << 44) + (9 << 12), name, "rw-")
    held = Held(area, 9, 5, ((0, 4), (8, 1)), tuple(range(20)))
    process = ProcessMap(name, 4096, (held,), ((1 << 46, 1 << 47),), False, 1 << 45)
    spaces = AddressMap(trees, rows, 3, 2)
    return {"spaces": spaces.to_json(), "process": process.to_json()}


def check(name: str, status: Status, **fields: Any) -> CheckResult:
    """A check of two points, its texts as a judge lets them through."""
    points = 2 if status is Status.PASS else 0
    shown = {k: plain(v) if isinstance(v, str) else v for k, v in fields.items()}
    return CheckResult(name, "1.1", f"{name} <holds>.", status, points, 2, **shown)


def hostile(folder: Path, text: str = HOSTILE) -> Path:
    """A run whose student wrote `text` wherever a student can; returns its OUT."""
    out = folder / "out"
    cell = plain(text).replace("\n", " ")
    wrong = Exhibit("gate", cell, ("field", cell), (Line(("P", cell), True),), cell)
    told = dict.fromkeys(("seen", "cause", "hint", "read", "source"), text)
    verdict = Verdict(
        stage="01-gdt",
        title=cell,
        arch="i386",
        status=Status.FAIL,
        points=2,
        max_points=8,
        seed=SEED,
        nonce=SEED,
        evidence_digest="0" * 64,
        sandbox="A",
        command=f"make grade SRC='{cell}'",
        tools={"gcc": cell},
        logs={"table": "runs/table", "gone": "runs/gone"},
        messages=(BuildMessage("01-gdt", cell, 1, 2, "warning", plain(text)),),
        checks=(
            check("gdt-code", Status.FAIL, exhibits=(wrong,), boots=("table",), **told),
            check("gdt-limit", Status.BLOCKED, blocked_by="gdt-code"),
            check("gdt-open", Status.NOT_IMPLEMENTED, seen=text),
            check("gdt-good", Status.PASS),
        ),
    )
    write_verdict(out, verdict)
    write_summary(out, [verdict], status=1, seed=SEED)
    boot = out / "i386/01-gdt/runs/table"
    boot.mkdir(parents=True)
    raw = text.encode("utf-8", "surrogatepass")
    (boot / "console.log").write_bytes(raw + bytes(range(256)))
    (boot / "vga.bin").write_bytes(bytes(n % 256 for n in range(4000)))
    portrait = {"via": cell, "end": cell, "log_read": 0, "log_bytes": 0} | maps(cell)
    (boot / "portrait.json").write_text(json.dumps(portrait), "utf-8")
    return out
