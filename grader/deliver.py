# SPDX-License-Identifier: MIT
"""`grader build`: a stage's kernel with its demo, to run, to debug, to put on a CD."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.course import Course
from grader.engine import make_core
from grader.errors import OperatorError
from grader.settings import ROOT, resolve
from grader.verdict.model import plain


def deliver(options: Mapping[str, Any]) -> int:
    """Write the ISO and the ELF file with symbols; 1 if the gap files do not build."""
    from grader.build import SubmissionError, build_image, build_program
    from grader.machine import IsoError, Module, make_iso
    from grader.sandbox import detect

    settings = resolve(
        Course.load(ROOT),
        stages=options.get("stage"),
        arches=options.get("arch"),
        src=options.get("src"),
        prior=options.get("prior"),
    )
    arch, stage = settings.pairs()[-1]
    make_core(ROOT, arch)
    iso, symbols = options.get("iso"), options.get("symbols")
    places = settings.src, settings.prior
    with tempfile.TemporaryDirectory(prefix="ringlab-build-") as scratch:
        try:
            image = build_image(settings.course, arch, stage, *places, Path(scratch))
            modules = tuple(
                Module(
                    name, build_program(settings.course, arch, stage, *places, source)
                )
                for name, source in stage.modules.items()
            )
            modules += tuple(
                Module(
                    name,
                    build_program(
                        settings.course, arch, stage, *places, program.source, elf=True
                    ),
                    program.args,
                )
                for name, program in stage.programs.items()
            )
        except SubmissionError as error:
            _print_messages(error.messages)
            return 1
        _print_messages(image.warnings)
        if symbols:
            Path(symbols).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(image.symbols, symbols)
        if iso:
            try:
                make_iso(image.elf, "", modules, Path(iso), detect())
            except IsoError as error:
                last = (str(error).strip().splitlines() or ["no message"])[-1]
                mend = "run `make doctor`"
                raise OperatorError(f"grub-mkrescue failed: {last}", mend) from None
    return 0


def _print_messages(messages: tuple[Any, ...]) -> None:
    for m in messages:
        place = f"{m.file}:{m.line}:{m.column}" if m.line else f"{m.file}"
        text = plain(f"{place}: {m.severity}: {m.text}").replace("\n", " ")
        print(text, file=sys.stderr)
