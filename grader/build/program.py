# SPDX-License-Identifier: MIT
"""User programs: C of the course and a submission's stubs, flat or as ELF files."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader import cache
from grader.build.compile import LIMITS, SEEN, shown, why_failed
from grader.build.image import FORMAT, ensure_core, feed, headers
from grader.build.messages import DIAGNOSTICS, c_messages
from grader.build.model import (
    BuildError,
    CourseLike,
    Message,
    StageLike,
    SubmissionError,
)
from grader.build.sources import take
from grader.build.tools import Tools, compiler_headers, flag_lines, read_flags, tools
from grader.sandbox import Result, Sandbox, detect

HEADER = ".h"
FLAGS = "user/flags.mk"
START = "crt0"


@dataclass(frozen=True)
class _Headers:
    """The part of a stage's gap files that user programs include."""

    id: str
    files: tuple[str, ...]

    def gaps(self, arch: str) -> Sequence[str]:
        return self.files


def build_program(
    course: CourseLike,
    arch: str,
    stage: StageLike,
    src: Path,
    prior: Path,
    source: str,
    optimise: str = "-O2",
    base: int | None = None,
    elf: bool = False,
) -> bytes:
    """The program user/<source> for the address base, with the stages' gap headers.

    optimise: -O0 or -O2. base: a user address, by default USER_PROGRAM_BASE. elf: an
    executable, instead of a flat program. Raises SubmissionError if the headers do not
    do.
    """
    ensure_core(course.root, arch)
    stubs: dict[str, bytes] = {}
    for one in sorted(course.stages, key=lambda one: one.order):
        names = tuple(gap for gap in one.gaps(arch) if gap.endswith(HEADER))
        if names and one.order <= stage.order:
            place = src if one.id == stage.id else prior
            taken = take(_Headers(one.id, names), arch, place)
            stubs |= {f"{one.id}/{name}": data for name, data in taken.items()}
    root = course.root.resolve()
    program = _Program(root, tools(root, arch), detect(), stubs, stage.id, elf)
    return program.build(source, optimise, base or program.default_base())


@dataclass(frozen=True)
class _Program:
    root: Path
    tools: Tools
    sandbox: Sandbox
    stubs: dict[str, bytes]
    stage: str
    elf: bool

    def build(self, source: str, optimise: str, base: int) -> bytes:
        """The library is compiled once for these stubs, and linked for each address."""
        library = self._objects([self._start, *self._sources], optimise)
        parts = [library, self._objects([source], optimise)]
        digest = hashlib.sha256()
        feed(digest, *(part.name for part in parts), str(base), self._script.name)
        feed(digest, self._script.read_bytes())
        key = f"program-{digest.hexdigest()[:32]}"
        make = functools.partial(self._link, parts, base)
        return (cache.entry(self._cache, key, make) / "program.bin").read_bytes()

    @property
    def _cache(self) -> Path:
        return self.root / "build" / "cache" / self.tools.arch

    def _objects(self, sources: Sequence[str], optimise: str) -> Path:
        """A folder with the objects of these sources."""
        digest = hashlib.sha256()
        feed(digest, self._common, optimise)
        for source in sources:
            feed(digest, source, (self.root / "user" / source).read_bytes())
        make = functools.partial(self._make, sources, optimise)
        return cache.entry(self._cache, f"objects-{digest.hexdigest()[:32]}", make)

    def default_base(self) -> int:
        return self._constant("USER_PROGRAM_BASE")

    def _constant(self, name: str) -> int:
        """One of the kernel's own."""
        text = (self._offsets / "offsets.inc").read_text("utf-8")
        found = re.search(rf"^%define {name} (\d+)$", text, re.MULTILINE)
        if found is None:
            raise BuildError(f"offsets.inc has no {name}")
        return int(found[1])

    @property
    def _flags(self) -> dict[str, list[str]]:
        common = read_flags(self.root, self.tools.arch)
        return common | flag_lines(self.root / FLAGS)

    @property
    def _sources(self) -> list[str]:
        return self._flags["USER_LIB"]

    @property
    def _folders(self) -> list[Path]:
        """What the programs may include, the student's headers apart."""
        names = ("user/include", "kernel/include/abi")
        return [self.root / name for name in names]

    @functools.cached_property
    def _common(self) -> str:
        """A digest of all that every program depends on."""
        digest = hashlib.sha256()
        feed(digest, FORMAT, self.tools.identity)
        files = [self.root / FLAGS, self._offsets / "offsets.inc"]
        files += [self.root / "kernel/arch" / self.tools.arch / "flags.mk"]
        files += map(Path, headers(self._folders))
        for file in files:
            feed(digest, file.relative_to(self.root).as_posix(), file.read_bytes())
        for name, data in self.stubs.items():
            feed(digest, name, data)
        return digest.hexdigest()

    @property
    def _start(self) -> str:
        """What each program begins with."""
        return f"{self.tools.arch}/{START}.asm"

    @property
    def _script(self) -> Path:
        return self.root / "user" / ("elf.ld" if self.elf else "program.ld")

    @property
    def _offsets(self) -> Path:
        return self.root / "build" / self.tools.arch / "include"

    def _make(self, sources: Sequence[str], optimise: str, scratch: Path) -> Path:
        tree, out = scratch / "tree", scratch / "objects"
        out.mkdir()
        for name, data in self.stubs.items():
            file = tree / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            file.chmod(0o644)
        for folder in (tree, *(p for p in tree.rglob("*") if p.is_dir())):
            folder.chmod(0o755)
        assembled = [name for name in sources if name.endswith(".asm")]
        self._compile([n for n in sources if n not in assembled], optimise, tree, out)
        for file in (self.root / "user" / name for name in assembled):
            argv = ["nasm", *self._flags["NASMFLAGS_ARCH"], f"-I{self._offsets}/"]
            argv += [str(file), "-o", str(out / f"{file.stem}.o")]
            self._run(argv, out, [file, self._offsets])
        return self._kept(out, scratch, "*.o")

    def _link(self, parts: Sequence[Path], base: int, scratch: Path) -> Path:
        out = scratch / "linked"
        out.mkdir()
        argv = [self.tools.ld, *self._flags["LDFLAGS_ARCH"], "-z", "noexecstack"]
        argv += ["--build-id=none", "-T", str(self._script)]
        argv += [f"--defsym=program_base={base:#x}", "-o", "program.elf"]
        if self.elf:
            argv += [f"--defsym=program_args={self._constant('USER_ARGS_VA'):#x}"]
            argv += ["-z", "max-page-size=4096", "--gc-sections", "--strip-all"]
        objects = [file for part in parts for file in sorted(part.glob("*.o"))]
        objects.sort(key=lambda file: file.stem != START)
        argv += map(str, objects)
        self._run(argv, out, [self._script, *parts])
        if self.elf:
            (out / "program.elf").rename(out / "program.bin")
        else:
            argv = [self.tools.objcopy, "-O", "binary", "program.elf", "program.bin"]
            self._run(argv, out, [])
        return self._kept(out, scratch, "program.bin")

    def _kept(self, out: Path, scratch: Path, pattern: str) -> Path:
        """A folder with these results, and with nothing that is no plain file."""
        made = scratch / "made"
        made.mkdir()
        for file in out.glob(pattern):
            if file.is_symlink() or not file.is_file():
                raise self._refuse(f"{file.name} is no plain file")
            file.rename(made / file.name)
        if not any(made.iterdir()):
            raise self._refuse("the program could not be built")
        return made

    def _compile(
        self, sources: Sequence[str], optimise: str, tree: Path, out: Path
    ) -> None:
        """The C files in one go; errors in the course's own are the stubs' fault."""
        flags = self._flags
        seen = self.sandbox.view(tree, SEEN)
        family = self.tools.family
        argv = [*self.tools.cc, optimise]
        for key in ("ARCH", "USER", family):
            argv += flags[f"CFLAGS_{key}"]
        own = compiler_headers(self.tools.cc, self.sandbox)
        argv += ["-nostdinc", "-isystem", str(own), *DIAGNOSTICS[family]]
        argv += [f"-ffile-prefix-map={self.root}=.", f"-ffile-prefix-map={seen}=."]
        argv += ["-c", f"-I{self.root}/user/include"]
        argv += [f"-I{self.root}/kernel/include"]
        argv += sorted({f"-I{seen / Path(name).parent}" for name in self.stubs})
        argv += [str(self.root / "user" / name) for name in sources]
        ro = [*self._folders, *(self.root / "user" / name for name in sources)]
        mounts = [(tree / name, seen / name) for name in self.stubs]
        result = self.sandbox.run(
            argv, cwd=out, ro=[*ro, *mounts], rw=[out], limits=LIMITS
        )
        if result.status == 0:
            return
        text = result.stderr.decode("utf-8", "replace")
        home = next(iter(self.stubs), "")
        stage = home.split("/")[0] or self.stage
        found = [
            shown(message, stage, home, seen, self.root)
            for message in c_messages(family, text, home, stage)
            if message.severity == "error"
        ]
        messages = [
            m if m.file in self.stubs else Message(home, 0, 0, "error", m.text, stage)
            for m in found
        ]
        raise SubmissionError(messages or [self._message(why_failed(result, text))])

    def _run(self, argv: Sequence[str], out: Path, ro: Sequence[Path]) -> None:
        result: Result = self.sandbox.run(argv, cwd=out, ro=ro, rw=[out], limits=LIMITS)
        if result.status != 0:
            text = (result.stderr + result.stdout).decode("utf-8", "replace")
            raise self._refuse(why_failed(result, text))

    def _message(self, text: str) -> Message:
        home = next(iter(self.stubs), "")
        return Message(home, 0, 0, "error", text, home.split("/")[0] or self.stage)

    def _refuse(self, text: str) -> SubmissionError:
        return SubmissionError([self._message(text)])
