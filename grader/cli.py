# SPDX-License-Identifier: MIT
"""The command line: grade (the default), and what else COMMANDS names.

Exit status: 0 full points everywhere, 1 not, 2 it could not be done; 141 (SIGPIPE) if
whoever read the output went away, unless the work was done by then.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from grader.errors import OperatorError, hush, operator_fault
from grader.settings import ROOT

CORPORA = ("mutants", "redteam", "variants", "mutate")
COMMANDS = ("grade", "build", "handouts", "diff", *CORPORA, "soak", "doctor", "bench")


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or (words[0] not in COMMANDS and words[0] not in ("-h", "--help")):
        words.insert(0, "grade")
    options = _parser().parse_args(words)
    try:
        status = _dispatch(options)
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


def _dispatch(options: argparse.Namespace) -> int:
    # Imports are as late as they are needed: start-up is paid on every run.
    command = options.command
    if command == "grade":
        from grader.grade import grade

        return grade(vars(options))
    if command == "build":
        from grader.deliver import deliver

        return deliver(vars(options))
    if command == "handouts":
        from grader.handouts import handouts

        return handouts(ROOT, check=options.check)
    if command == "diff":
        from grader.diff import diff

        return diff(ROOT, options.stage, options.arch, getattr(options, "with"))
    if command in CORPORA:
        return _corpus(options)
    if command == "soak":
        from grader.corpus.soak import soak

        chosen = {k: getattr(options, k) for k in ("stage", "arch", "src", "seed")}
        return soak(ROOT, repeats=options.repeats, seeds_count=options.seeds, **chosen)
    if command == "doctor":
        doctor = str(Path(__file__).with_name("doctor.py"))
        os.execv(sys.executable, [sys.executable, doctor])
    from grader.bench import bench

    return bench(ROOT)


def _corpus(options: argparse.Namespace) -> int:
    from grader.corpus import trial
    from grader.corpus.mutants import MUTANTS
    from grader.corpus.mutate import MUTATE
    from grader.corpus.submissions import REDTEAM, VARIANTS

    corpus = {c.name: c for c in (MUTANTS, REDTEAM, VARIANTS, MUTATE)}[options.command]
    return trial.run(
        corpus,
        ROOT,
        stage=options.stage,
        arch=options.arch,
        folder=Path(options.folder) if options.folder else None,
        seed=options.seed,
        jobs=options.jobs,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m grader", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, text: str, *options: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        for option in options:
            made.add_argument(f"--{option}", help=TEXTS[option])
        return made

    choice = ("stage", "arch", "src", "prior")
    grade = add("grade", "grade stages and explain the verdict", *choice, "seed", "out")
    grade.add_argument(
        "--bonus", action="store_true", help="exit 0 only if bonus checks pass as well"
    )
    add("build", "build a stage's kernel, to look at it", *choice, "iso", "symbols")
    handouts = add("handouts", "strip solutions/ into assignments/")
    handouts.add_argument("--check", action="store_true", help="only compare")
    compare = add("diff", "a student against handout and solution", "stage", "arch")
    compare.add_argument("--with", help="a student's folder, or a branch")
    for name, text in zip(CORPORA, CORPORA_TEXTS):
        known = add(name, text, "stage", "arch", "seed", "folder")
        known.add_argument("--jobs", type=int, help="how many at once (default: cores)")
    again = add(
        "soak", "is the verdict always the same", "stage", "arch", "src", "seed"
    )
    again.add_argument("--repeats", type=int, default=3, help="idle, and under load")
    again.add_argument("--seeds", type=int, default=1, help="one after the other")
    add("doctor", "are the tools there, in versions that work")
    add("bench", "measure the grader")
    return parser


CORPORA_TEXTS = (
    "does each wrong solution get its verdict",
    "does each cheat gain nothing",
    "does each right solution get full points",
    "what change of one place in the solutions does no check notice",
)
TEXTS = {
    "stage": "stage, such as 04-ring3 (default: all)",
    "arch": "i386 or x86_64 (default: both)",
    "src": "folder of the gap files, SRC/<stage>/<path> (default: solutions)",
    "prior": "folder of the earlier stages' gap files (default: SRC)",
    "seed": "64-bit hexadecimal number (default: random)",
    "out": "folder for verdicts and logs (default: build/grade)",
    "folder": "another folder of the same layout (default: grader/<verb>)",
    "iso": "write the image for GRUB here",
    "symbols": "write the ELF file with symbols here",
}
