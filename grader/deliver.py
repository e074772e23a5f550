# SPDX-License-Identifier: MIT
"""`grader build`: a stage's kernel with its demo, to run, to debug, to put on a CD."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.course import Course, Stage
from grader.engine import make_core
from grader.errors import OperatorError
from grader.settings import ROOT, Settings, resolve
from grader.verdict.model import plain

if TYPE_CHECKING:
    from grader.build import Image, Message
    from grader.machine import Module


def deliver(options: Mapping[str, Any]) -> int:
    """Write the ISO and the ELF file with symbols; 1 if the gap files do not build."""
    from grader.build import SubmissionError
    from grader.machine import IsoError, make_iso
    from grader.sandbox import detect

    settings, arch, stage = chosen(options)
    iso, symbols = options.get("iso"), options.get("symbols")
    with tempfile.TemporaryDirectory(prefix="ringlab-build-") as scratch:
        try:
            image, modules = demo(settings, arch, stage, Path(scratch))
        except SubmissionError as error:
            print_messages(settings, stage, error.messages)
            return 1
        print_messages(settings, stage, image.warnings)
        if symbols:
            Path(symbols).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(image.symbols, symbols)
        if iso:
            try:
                make_iso(image.elf, "", modules, Path(iso), detect())
            except IsoError as error:
                last = (str(error).strip().splitlines() or ["no message"])[-1]
                mend = "run `make doctor`"
                raise OperatorError(f"no CD could be made: {last}", mend) from None
    return 0


def chosen(options: Mapping[str, Any]) -> tuple[Settings, str, Stage]:
    """The settings, and the one machine to look at: the last of the chosen stages."""
    names = {"stages": "stage", "arches": "arch", "src": "src", "prior": "prior"}
    given = {name: options.get(option) for name, option in names.items()}
    settings = resolve(Course.load(ROOT), **given)
    return settings, *settings.pairs()[-1]


def demo(
    settings: Settings, arch: str, stage: Stage, folder: Path
) -> tuple[Image, tuple[Module, ...]]:
    """Build the stage's kernel into folder, and its demo's modules.

    Raises SubmissionError.
    """
    from grader.build import build_image, build_program
    from grader.machine import Module

    make_core(ROOT, arch)
    what = settings.course, arch, stage, settings.src, settings.prior
    image = build_image(*what, folder)
    modules = tuple(
        Module(name, build_program(*what, source))
        for name, source in stage.modules.items()
    )
    modules += tuple(
        Module(name, build_program(*what, program.source, elf=True), program.args)
        for name, program in stage.programs.items()
    )
    return image, modules


def print_messages(
    settings: Settings, stage: Stage, messages: Sequence[Message]
) -> None:
    """One line each, as compilers write them: editors find the place in it."""
    for message in messages:
        text = settings.located(plain(str(message)), stage.id).replace("\n", " ")
        print(text, file=sys.stderr)
