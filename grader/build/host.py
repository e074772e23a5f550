# SPDX-License-Identifier: MIT
"""Runs gap files on the host: compiled with sanitizers, driven by a program of ours."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grader import cache
from grader.build.compile import SEEN, why_failed
from grader.build.compile import LIMITS as COMPILING
from grader.build.image import FORMAT, feed
from grader.build.model import BuildError, Message, StageLike, SubmissionError
from grader.build.sources import take
from grader.build.tools import Tools, compiler_headers, read_flags, tools
from grader.doctor.inventory import on_a_pc
from grader.sandbox import Limits, Result, Sandbox, detect

SANITIZE = "-fsanitize=address,undefined -fno-sanitize-recover=all".split()
# What the compiler defines here, and not for the image.
TELLTALES = (
    "__SANITIZE_ADDRESS__ __PIC__ __pic__ __PIE__ __pie__ __SSP_STRONG__".split()
)
FAIR = "grader/scenarios/host/fair.h"  # no gap file may switch a sanitizer off
OFFSET = re.compile(r"\(/proc/self/exe\+(0x[0-9a-f]+)\)")
MOST_OFFSETS = 40
# A sanitizer reserves terabytes of addresses, and the driver limits what it uses.
RUNNING = Limits(cpu_s=10, wall_s=60.0, memory_bytes=1 << 46, output_bytes=4 << 20)


def run_host(
    root: Path,
    arch: str,
    stage: StageLike,
    src: Path,
    source: str,
    names: Sequence[str],
    data: bytes,
) -> Result:
    """What grader/scenarios/host/<source> prints, linked with these gap files.

    data: the contents of the file that is its argument. A sanitizer's report stands on
    stderr, with a status that is not 0. Raises SubmissionError if the gap files do not
    compile, BuildError if nothing does.
    """
    gaps = {n: d for n, d in take(stage, arch, src).items() if n in names}
    host = _Host(root.resolve(), tools(root.resolve(), arch), detect(), stage.id, gaps)
    folder = host.root / "build" / "cache" / arch
    make = functools.partial(host.make, source)
    entry = cache.entry(folder, "host-" + host.key(source), make)
    with cache.scratch(folder) as scratch:
        given = scratch / "data"
        given.write_bytes(data)
        given.chmod(0o644)
        argv = [str(entry / "host"), str(given)]
        result = host.sandbox.run(
            argv, cwd=scratch, ro=[entry, scratch], limits=RUNNING
        )
        return host.named(entry / "host", result)


class _Host:
    def __init__(
        self,
        root: Path,
        chosen: Tools,
        sandbox: Sandbox,
        stage: str,
        gaps: dict[str, bytes],
    ) -> None:
        self.root = root
        self.tools = chosen
        self.sandbox = sandbox
        self.stage = stage
        self.gaps = gaps

    def key(self, source: str) -> str:
        digest = hashlib.sha256()
        feed(digest, FORMAT, self.tools.identity, *self._gap_command())
        for file in (self._driver(source), self.root / FAIR, *self._headers()):
            feed(digest, file.relative_to(self.root).as_posix(), file.read_bytes())
        for name, data in self.gaps.items():
            feed(digest, name, data)
        return digest.hexdigest()[:32]

    def make(self, source: str, scratch: Path) -> Path:
        """Compile the driver, which must succeed, then the gap files with it."""
        tree, made = scratch / "tree", scratch / "made"
        for folder in (tree, made):
            folder.mkdir()
        files = []
        for name, data in self.gaps.items():
            file = tree / name.replace("/", "-")
            file.write_bytes(data)
            file.chmod(0o644)
            files.append(file)
        driver = self._driver(source)
        argv = [*self._command(), "-c", str(driver), "-o", "driver.o"]
        result = self._run(argv, made, [driver])
        if result.status != 0:
            raise BuildError(f"{source} does not compile: {_text(result)}")
        seen = self.sandbox.view(tree, SEEN)
        gaps = [(f, seen / f.name) for f in files]
        objects = [f"gap-{number}.o" for number in range(len(gaps))]
        for (_, path), name in zip(gaps, objects):
            self._step([*self._gap_command(), "-c", str(path), "-o", name], made, gaps)
        self._step([*self._command(), "driver.o", *objects, "-o", "host"], made, gaps)
        made.chmod(0o755)
        return made

    def _step(self, argv: Sequence[str], made: Path, gaps: Sequence[object]) -> None:
        """One step whose failure is the submission's."""
        result = self._run(argv, made, gaps)
        if result.status != 0 or not (made / argv[-1]).is_file():
            text = why_failed(result, _text(result))
            name = f"{self.stage}/{next(iter(self.gaps), '')}"
            raise SubmissionError([Message(name, 0, 0, "error", text, self.stage)])

    def named(self, program: Path, result: Result) -> Result:
        """The sanitizer's report with file and line where it has only offsets: it
        cannot find its own program in the sandbox."""
        text = _text(result)
        offsets = list(dict.fromkeys(OFFSET.findall(text)))[:MOST_OFFSETS]
        if not offsets:
            return result
        argv = [self.tools.addr2line, "-s", "-e", str(program), *offsets]
        found = self.sandbox.run(
            argv, cwd=program.parent, ro=[program.parent], limits=COMPILING
        )
        told = found.stdout.decode("utf-8", "replace").splitlines()
        lines = dict(zip(offsets, told))

        def name(match: re.Match[str]) -> str:
            return f"({lines.get(match[1], match[1])})"

        return replace(result, stderr=OFFSET.sub(name, text).encode())

    def _run(self, argv: Sequence[str], made: Path, more: Sequence[object]) -> Result:
        ro = [self.root / name for name in (*self._folders(), FAIR)]
        return self.sandbox.run(
            argv, cwd=made, ro=[*ro, *more], rw=[made], limits=COMPILING  # type: ignore
        )

    def _command(self) -> list[str]:
        """The stage's own compiler where its programs run here, else the host's."""
        cc, native = self._compiler()
        flags = read_flags(self.root, self.tools.arch)
        words = [w for w in flags["CFLAGS_ARCH"] if native and w in ("-m32", "-m64")]
        words += ["-std=gnu11", "-O1", "-g", "-fno-omit-frame-pointer", *SANITIZE]
        return [*cc, *words, *(f"-I{self.root / name}" for name in self._folders())]

    def _compiler(self) -> tuple[tuple[str, ...], bool]:
        """The words that name it, and whether it is the stage's own."""
        if self.tools.family == "gcc" and on_a_pc():
            return self.tools.cc, True
        return ("cc",), False

    def _gap_command(self) -> list[str]:
        """As in the image: no header of the host's, and no macro that tells where."""
        words = self._command()
        words += ["-ffreestanding", "-nostdinc"]
        words += ["-isystem", str(compiler_headers(self._compiler()[0], self.sandbox))]
        words += ["-include", str(self.root / FAIR)]
        return words + [f"-U{name}" for name in TELLTALES]

    def _folders(self) -> tuple[str, str]:
        return "kernel/include", f"kernel/arch/{self.tools.arch}/include"

    def _headers(self) -> list[Path]:
        found = [h for n in self._folders() for h in (self.root / n).rglob("*.h")]
        return sorted(found)

    def _driver(self, source: str) -> Path:
        return self.root / "grader/scenarios/host" / source


def _text(result: Result) -> str:
    return result.stderr.decode("utf-8", "replace")
