# SPDX-License-Identifier: MIT
"""What compiler and linker make of three files of which all is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grader.build.border import Border, Gap
from grader.build.compile import Compiler
from grader.build.link import Linker, LinkFailed
from grader.build.model import SubmissionError
from grader.build.tools import Tools, tools
from grader.doctor.facts import Facts, Known
from grader.doctor.inventory import ROOT
from grader.sandbox import Sandbox

STAGE = "doctor"
# mov ebp, esp in either spelling; with a REX prefix before it, mov rbp, rsp.
FRAME_POINTER = (b"\x89\xe5", b"\x8b\xec")


def objects(arch: str, sandbox: Sandbox, folder: Path) -> Iterator[Known]:
    """Compile and link in the way that gap files are, and tell what came of it."""
    chain = tools(ROOT, arch)
    for source in ("right.c", "wrong.c", "stray.c"):
        place = folder / arch / source
        seen = _facts(chain, sandbox, place, source)
        yield Known(chain.cc[0], f"{arch} {source}", seen)


def _facts(chain: Tools, sandbox: Sandbox, place: Path, source: str) -> Facts:
    text = (Path(__file__).with_name("known") / source).read_text("utf-8")
    file, out = place / "tree" / STAGE / source, place / "object" / "gap.o"
    for one in (file, out):
        one.parent.mkdir(parents=True)
    file.write_text(text, "utf-8")
    for folder in (place, *(p for p in place.rglob("*") if p.is_dir())):
        folder.chmod(0o755)
    compiler = Compiler(ROOT, chain, sandbox)
    gap = Gap(f"{STAGE}/{source}", out, text)
    try:
        said = compiler.compile(STAGE, source, place / "tree", [], out)
        border = Border(STAGE, ("kept",), ("report",), chain.addr2line, sandbox)
        border.check([gap])
    except SubmissionError as refused:
        said = list(refused.messages)
    found = {f"line {m.line}": f"{m.severity} in {m.file}" for m in said}
    if found:
        return found
    joined = place / "link" / "gap.o"
    joined.parent.mkdir(mode=0o755)
    try:
        Linker(ROOT, chain, sandbox).stage_object([out], ("kept",), joined)
    except LinkFailed as failed:
        return {"linked": str(failed)[:300]}
    return _linked(joined)


def _linked(joined: Path) -> Facts:
    from elftools.elf.elffile import ELFFile

    with open(joined, "rb") as stream:
        elf = ELFFile(stream)
        table = elf.get_section_by_name(".symtab")
        kept = [
            symbol
            for symbol in table.iter_symbols()
            if symbol["st_info"]["bind"] != "STB_LOCAL"
            and symbol["st_shndx"] != "SHN_UNDEF"
        ]
        code = elf.get_section(kept[0]["st_shndx"]).data() if kept else b""
    return {
        "global": " ".join(symbol.name for symbol in kept),
        "frame pointer": str(any(move in code for move in FRAME_POINTER)),
    }
