# SPDX-License-Identifier: MIT
"""The command line of students and graders; grader/staff.py adds what staff alone has.

Exit status: 0 full points everywhere, 1 not, 2 it could not be done; 141 (SIGPIPE) if
whoever read the output went away, unless the work was done by then.
"""

from __future__ import annotations

import argparse
import importlib.util
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import OperatorError, hush, operator_fault
from grader.settings import OUT, ROOT

if TYPE_CHECKING:
    from datetime import date

Options = argparse.Namespace
Command = Callable[[Options], int]


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    commands = Commands()
    if not words or (
        words[0] not in commands.names and words[0] not in ("-h", "--help")
    ):
        words.insert(0, "grade")
    options = commands.parse(words)
    try:
        if getattr(options, "tier", None):
            from grader.sandbox import force

            force(options.tier)
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return _say("stopped")
    except OperatorError as error:
        return _say(str(error))
    except BrokenPipeError:
        hush()
        return 128 + signal.SIGPIPE
    except OSError as error:
        fault = operator_fault(error, error.filename or "")
        if fault is None:
            raise
        return _say(str(fault))


def _say(text: str) -> int:
    print(f"grader: {' '.join(text.split())}", file=sys.stderr)
    return 2


class Commands:
    """All commands, each with its options and the function that runs it."""

    def __init__(self) -> None:
        parser = argparse.ArgumentParser(prog="python3 -m grader", description=__doc__)
        self.parse = parser.parse_args
        self._added = parser.add_subparsers(dest="command", required=True)
        add_everyones(self)
        if importlib.util.find_spec("grader.staff"):
            from grader.staff import add_staffs

            add_staffs(self)

    @property
    def names(self) -> Sequence[str]:
        return [*self._added.choices]

    def add(
        self, run: Command, name: str, text: str, *options: str
    ) -> argparse.ArgumentParser:
        made = self._added.add_parser(name, help=text, description=text)
        made.set_defaults(run=run)
        for option in options:
            made.add_argument(f"--{option}", help=TEXTS[option])
        return made


# Imports are as late as they are needed: start-up is paid on every run.


def _grade(options: Options) -> int:
    from grader.grade import grade

    return grade(vars(options))


def _report(options: Options) -> int:
    from grader.reports.write import write_reports

    day = _date("STUDENT", options.student) if options.student else None
    print(write_reports(Path(options.out), day))
    return 0


def _export(options: Options) -> int:
    from datetime import date

    from grader.reports.platforms import export

    day = _date("--date", options.date) if options.date else date.today()
    file = Path(options.file) if options.file else None
    return export(options.to, Path(options.out), file, day)


def _date(name: str, text: str) -> date:
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        what = f"{name}={text} is no date"
        raise OperatorError(what, "write 2026-10-12") from None


def _build(options: Options) -> int:
    from grader.deliver import deliver

    return deliver(vars(options))


def _explain(options: Options) -> int:
    from grader.explain import explain

    return explain(vars(options))


def _editor(options: Options) -> int:
    from grader.editor import editor

    return editor(ROOT, options.arch)


def _advance(options: Options) -> int:
    from grader.advance import advance

    return advance(ROOT, options.to, options.course)


def _doctor(options: Options) -> int:
    from grader.doctor.__main__ import main as examine

    return examine()


CHOICE = ("stage", "arch", "src", "prior")
TEXTS = {
    "stage": "stage, such as 04-ring3 (default: all)",
    "arch": "i386 or x86_64 (default: both)",
    "src": "folder of the gap files, SRC/<stage>/<path> (default: solutions)",
    "prior": "folder of the earlier stages' gap files (default: SRC)",
    "seed": "64-bit hexadecimal number (default: random)",
    "out": "folder for verdicts and logs (default: build/grade)",
    "tier": "sandbox A, B or C, and no other (default: the best that works)",
    "folder": "another folder of the same layout (default: grader/<verb>)",
    "iso": "write the image for GRUB here",
    "symbols": "write the ELF file with symbols here",
}


def add_everyones(commands: Commands) -> None:
    add = commands.add
    text = "grade stages and explain the verdict"
    grade = add(_grade, "grade", text, *CHOICE, "seed", "out", "tier")
    grade.add_argument(
        "--bonus", action="store_true", help="exit 0 only if bonus checks pass as well"
    )
    grade.add_argument("--verdicts-only", action="store_true", help="write no reports")
    report = add(_report, "report", "write the reports of a finished run anew")
    report.add_argument("out", help=TEXTS["out"], nargs="?", default=str(OUT))
    text = "as students may see it that day, to OUT/student"
    report.add_argument("--student", metavar="YYYY-MM-DD", help=text)
    text = "a finished run for a learning platform, as students may see it"
    export = add(_export, "export", text)
    export.add_argument("out", help=TEXTS["out"], nargs="?", default=str(OUT))
    export.add_argument("--to", required=True, help="gradescope, autolab, vpl, …")
    text = "where its file goes (default: OUT/<platform>/<its name>)"
    export.add_argument("--file", help=text)
    text = "what students may see that day (default: today)"
    export.add_argument("--date", metavar="YYYY-MM-DD", help=text)
    text = "build a stage's kernel, to look at it"
    add(_build, "build", text, *CHOICE, "iso", "symbols")
    text = "run a stage's demo, and explain its last fault"
    add(_explain, "explain", text, *CHOICE)
    add(_editor, "editor", "write build/compile_commands.json, for clangd", "arch")
    onward = add(_advance, "advance", "fetch the next assignment and merge it")
    onward.add_argument("--to", help="stage (default: the next one)")
    onward.add_argument("--course", help="remote or URL (default: upstream, origin)")
    add(_doctor, "doctor", "are the tools there, and do they behave")
