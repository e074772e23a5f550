# SPDX-License-Identifier: MIT
"""From gap files to an image that boots: the one way, for grading and for make run."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grader import cache
from grader.build.border import Border, Gap, line_of_word
from grader.build.compile import Compiler
from grader.build.link import Linker, LinkFailed
from grader.build.model import (
    BuildError,
    CourseLike,
    Image,
    Message,
    StageLike,
    SubmissionError,
    escape,
)
from grader.build.sources import take
from grader.build.tools import Tools, header_folders, tools
from grader.files import write_bytes
from grader.sandbox import Sandbox, detect

# Counted up when this package links or checks differently: old entries are not used.
FORMAT = "4"
COMPANIONS = (".h", ".inc")
COMPILED = (".c", ".asm")
# In the words of GNU ld, and of lld.
TWICE = re.compile(r"(?:multiple definition of|duplicate symbol:) [`']?([\w.$]+)")

_core_lock = threading.Lock()
_core_made: set[tuple[Path, str]] = set()


def ensure_core(root: Path, arch: str) -> None:
    """Let make bring the grader's own objects up to date, once a process.

    RINGLAB_CORE=ready in the environment says that make has just done so. Raises
    BuildError with what make printed.
    """
    with _core_lock:
        if (root, arch) in _core_made:
            return
        if os.environ.get("RINGLAB_CORE") != "ready":
            argv = ["make", "-s", "-C", str(root), "core", f"ARCH={arch}"]
            made = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True)
            if made.returncode != 0:
                text = (made.stdout + made.stderr).decode("utf-8", "replace")
                raise BuildError(f"make core ARCH={arch} failed:\n{text.strip()}")
        _core_made.add((root, arch))


def build_image(
    course: CourseLike,
    arch: str,
    stage: StageLike,
    src: Path,
    prior: Path,
    out: Path,
    sandbox: Sandbox | None = None,
) -> Image:
    """Build `stage` from src, and the stages before it from prior, into out/.

    Writes out/kernel.elf and out/symbols.elf. Raises SubmissionError for what is wrong
    with the gap files, BuildError for what is wrong with the grader's own part.
    """
    ensure_core(course.root, arch)
    root = course.root.resolve()
    builder = _Builder(root, arch, tools(root, arch), sandbox or detect())
    stages = sorted(
        (one for one in course.stages if one.order <= stage.order),
        key=lambda one: one.order,
    )
    units = [builder.unit(one, src if one.id == stage.id else prior) for one in stages]
    entry, key = builder.image(stage, stages, units)
    out.mkdir(parents=True, exist_ok=True)
    for name in ("kernel.elf", "symbols.elf"):
        write_bytes(out / name, (entry / name).read_bytes())
    return Image(
        elf=out / "kernel.elf",
        symbols=out / "symbols.elf",
        key=key,
        warnings=tuple(w for unit in units[-1:] for w in unit.warnings),
        gap_files={unit.object.name: unit.files for unit in units},
    )


@dataclass(frozen=True)
class _Unit:
    """One stage's gap files, linked and localised."""

    object: Path
    key: str
    files: tuple[str, ...]
    warnings: tuple[Message, ...]


@dataclass(frozen=True)
class _Builder:
    root: Path
    arch: str
    tools: Tools
    sandbox: Sandbox

    @property
    def cache(self) -> Path:
        return self.root / "build" / "cache" / self.arch

    def unit(self, stage: StageLike, src: Path) -> _Unit:
        """The stage's object from the cache, or made now."""
        sources = take(stage, self.arch, src)
        key = "gap-" + self._unit_key(stage, sources)
        make = functools.partial(self._make_unit, stage, sources)
        entry = cache.entry(self.cache, key, make)
        warnings = json.loads((entry / "warnings.json").read_text("utf-8"))
        return _Unit(
            object=entry / f"gap-{stage.id}.o",
            key=key,
            files=tuple(f"{stage.id}/{gap}" for gap in sources),
            warnings=tuple(Message(**warning) for warning in warnings),
        )

    def _unit_key(self, stage: StageLike, sources: dict[str, bytes]) -> str:
        digest = hashlib.sha256()
        contract = [*sorted(stage.provides), "", *sorted(stage.uses)]
        feed(digest, FORMAT, self.arch, stage.id, self.tools.identity, *contract)
        for gap, data in sources.items():
            feed(digest, gap, data)
        feed(digest, self._surroundings)
        return digest.hexdigest()[:32]

    @functools.cached_property
    def _surroundings(self) -> bytes:
        """Of the flags and headers that every gap file is compiled with."""
        digest = hashlib.sha256()
        feed(digest, (self.root / "kernel/flags.mk").read_bytes())
        arch_flags = self.root / "kernel/arch" / self.arch / "flags.mk"
        feed(digest, arch_flags.read_bytes())
        for header in headers(header_folders(self.root, self.arch)):
            feed(digest, header, Path(header).read_bytes())
        return digest.digest()

    def _make_unit(
        self, stage: StageLike, sources: dict[str, bytes], scratch: Path
    ) -> Path:
        tree, objects, made = (scratch / name for name in ("tree", "objects", "made"))
        made.mkdir()
        for gap, data in sources.items():
            file = tree / stage.id / gap
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            file.chmod(0o644)
        for folder in (tree, *(p for p in tree.rglob("*") if p.is_dir())):
            folder.chmod(0o755)
        gaps, warnings = self._compile(stage, sources, tree, objects)
        border = Border(
            stage.id,
            tuple(stage.provides),
            tuple(stage.uses),
            self.tools.addr2line,
            self.sandbox,
        )
        border.check(gaps)
        result = scratch / "link" / f"gap-{stage.id}.o"
        result.parent.mkdir()
        linker = Linker(self.root, self.tools, self.sandbox)
        try:
            linker.stage_object([g.object for g in gaps], stage.provides, result)
        except LinkFailed as failed:
            raise SubmissionError(_link_messages(stage, gaps, str(failed))) from None
        shutil.copyfile(result, made / result.name, follow_symlinks=False)
        text = json.dumps([dataclasses.asdict(warning) for warning in warnings])
        (made / "warnings.json").write_text(text, "utf-8")
        return made

    def _compile(
        self, stage: StageLike, sources: dict[str, bytes], tree: Path, objects: Path
    ) -> tuple[list[Gap], list[Message]]:
        """Every gap file is compiled, so that one error does not hide the others."""
        compiler = Compiler(self.root, self.tools, self.sandbox)
        home = tree / stage.id
        companions = [home / gap for gap in sources if gap.endswith(COMPANIONS)]
        gaps: list[Gap] = []
        warnings: list[Message] = []
        errors: list[Message] = []
        for number, gap in enumerate(g for g in sources if g.endswith(COMPILED)):
            out = objects / str(number) / "gap.o"
            out.parent.mkdir(parents=True)
            try:
                warnings += compiler.compile(stage.id, gap, tree, companions, out)
            except SubmissionError as error:
                errors += error.messages
            source = sources[gap].decode("utf-8")
            gaps.append(Gap(f"{stage.id}/{gap}", out, source))
        if errors:
            raise SubmissionError(errors)
        return gaps, warnings

    def image(
        self, stage: StageLike, stages: list[StageLike], units: list[_Unit]
    ) -> tuple[Path, str]:
        """The image's folder in the cache, and its key."""
        build = self.root / "build" / self.arch
        try:
            stamp = (build / "core.stamp").read_bytes()
        except FileNotFoundError:
            raise BuildError(f"no {build}/core.stamp; run `make core`") from None
        digest = hashlib.sha256()
        feed(digest, FORMAT, stamp, self.tools.identity, stage.id)
        feed(digest, *(unit.key for unit in units))
        key = digest.hexdigest()[:32]
        make = functools.partial(self._make_image, stage, stages, units)
        return cache.entry(self.cache, f"image-{key}", make), key

    def _make_image(
        self,
        stage: StageLike,
        stages: list[StageLike],
        units: list[_Unit],
        scratch: Path,
    ) -> Path:
        made, work = scratch / "made", scratch / "link"
        made.mkdir()
        work.mkdir()
        parts = ["core.o", *(f"stage/{one.id}.o" for one in stages)]
        parts.append(f"scenario/{stage.id}.o")
        linker = Linker(self.root, self.tools, self.sandbox)
        try:
            linker.image(parts, [unit.object for unit in units], work)
        except LinkFailed as failed:
            raise BuildError(f"linking {stage.id} failed:\n{failed}") from None
        for name in ("kernel.elf", "symbols.elf"):
            shutil.copyfile(work / name, made / name, follow_symlinks=False)
        return made


def feed(digest: hashlib._Hash, *parts: str | bytes) -> None:
    """Add parts with their lengths, so that no two lists of parts look alike."""
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(b"%d:" % len(data) + data)


def headers(folders: Iterable[Path]) -> list[str]:
    found: list[str] = []
    waiting = [str(folder) for folder in folders]
    while waiting:
        for entry in os.scandir(waiting.pop()):
            if entry.is_dir():
                waiting.append(entry.path)
            elif entry.name.endswith((".h", ".inc")):
                found.append(entry.path)
    return sorted(found)


def _link_messages(stage: StageLike, gaps: list[Gap], text: str) -> list[Message]:
    """What `ld -r` refuses: above all, one function defined in two gap files."""
    messages = []
    for line in text.splitlines():
        found = TWICE.search(line)
        if found:
            name = found[1]
            gap = next(g for g in reversed(gaps) if name in g.defined)
            said = f"{name} is defined in more than one gap file"
            at = line_of_word(gap.source, name)
            messages.append(Message(gap.name, at, 0, "error", said, stage.id))
    if not messages:
        said = escape(text.splitlines()[0])[:300]
        messages.append(Message(gaps[0].name, 0, 0, "error", said, stage.id))
    return messages
