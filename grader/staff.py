# SPDX-License-Identifier: MIT
"""The commands that staff alone has; no published branch holds this file."""

from __future__ import annotations

from pathlib import Path

from grader.cli import Commands, Options
from grader.settings import ROOT

CORPORA = {
    "mutants": "does each wrong solution get its verdict",
    "redteam": "does each cheat gain nothing",
    "attacks": "is each attack contained",
    "variants": "does each right solution get full points",
    "mutate": "what change of one place in the solutions does no check notice",
}

CLASS = {
    "submissions": "folder with a folder, archive or bundle for each, or name,url CSV",
    "out": "folder for the store and every report (default: build/class)",
    "jobs": "how many at once (default: cores)",
    "carry": "earlier stages: own, reference, or the best of both (default: reference)",
    "late": "CSV file: student,days",
    "late-penalty": "percent of the points a begun day (default: 10)",
    "engine": "who runs the workers, local or slurm (default: local)",
    "site": "TOML file about your Slurm cluster (default: ci/slurm.toml)",
    "check": "after a mend of the grader: judge this check anew, and show what changes",
}


RESULTS = {
    "student": "YYYY-MM-DD: feedback as students may see it that day (default: today)",
    "canvas": "exported gradebook of Canvas, to be filled in",
    "assignment": "head of the gradebook's column (default: the only one)",
    "moodle": "downloaded grading worksheet of Moodle, to be filled in",
}


def _handouts(options: Options) -> int:
    from grader.handouts import handouts

    return handouts(ROOT, check=options.check)


def _new(options: Options) -> int:
    from grader.new.stage import new_stage

    return new_stage(ROOT, options.stage, options.title)


def _diff(options: Options) -> int:
    from grader.diff import diff

    return diff(ROOT, options.stage, options.arch, getattr(options, "with"))


def _corpus(options: Options) -> int:
    from grader.corpus import trial
    from grader.corpus.attacks import ATTACKS
    from grader.corpus.mutants import MUTANTS
    from grader.corpus.mutate import MUTATE
    from grader.corpus.submissions import REDTEAM, VARIANTS

    corpora = (MUTANTS, REDTEAM, ATTACKS, VARIANTS, MUTATE)
    corpus = {c.name: c for c in corpora}[options.command]
    return trial.run(
        corpus,
        ROOT,
        stage=options.stage,
        arch=options.arch,
        folder=Path(options.folder) if options.folder else None,
        seed=options.seed,
        jobs=options.jobs,
    )


def _soak(options: Options) -> int:
    from grader.corpus.soak import soak

    chosen = {k: getattr(options, k) for k in ("stage", "arch", "src", "seed")}
    return soak(ROOT, repeats=options.repeats, seeds_count=options.seeds, **chosen)


def _publish(options: Options) -> int:
    from grader.publish.publish import publish

    names = ("remote", "dry", "arch", "fresh", "single", "today", "unproven")
    return publish(ROOT, **{name: getattr(options, name) for name in names})


def _class(options: Options) -> int:
    from grader.cohort.command import class_run

    return class_run(ROOT, vars(options))


def _class_results(options: Options) -> int:
    from grader.cohort.command import class_results

    return class_results(ROOT, vars(options))


def _bench(options: Options) -> int:
    from grader.bench import bench

    return bench(ROOT, options.record, options.cohort)


def _gradescope(options: Options) -> int:
    from grader.gradescope.bundle import bundle

    bundle(ROOT, options.stage or "", options.arch or "", options.minutes)
    return 0


def add_staffs(commands: Commands) -> None:
    add = commands.add
    handouts = add(_handouts, "handouts", "strip solutions/ into assignments/")
    handouts.add_argument("--check", action="store_true", help="only compare")
    stage = add(_new, "new", "the skeleton of a new stage", "stage")
    stage.add_argument("--title", help="a few words")
    text = "a student against handout and solution"
    compare = add(_diff, "diff", text, "stage", "arch")
    compare.add_argument(
        "--with", help="branch, commit, folder, archive, folder of these"
    )
    for name, text in CORPORA.items():
        known = add(_corpus, name, text, "stage", "arch", "seed", "folder", "tier")
        known.add_argument("--jobs", type=int, help="how many at once (default: cores)")
    text = "is the verdict always the same"
    again = add(_soak, "soak", text, "stage", "arch", "src", "seed")
    again.add_argument("--repeats", type=int, default=3, help="idle, and under load")
    again.add_argument("--seeds", type=int, default=1, help="one after the other")
    branches = add(_publish, "publish", "the branches that students get", "arch")
    branches.add_argument("--remote", help="name, URL or path of the repository")
    branches.add_argument("--today", help="YYYY-MM-DD (default: today)")
    branches.add_argument("--dry", action="store_true", help="only say what would be")
    text = "every fresh branch, whatever its dates"
    branches.add_argument("--fresh", action="store_true", help=text)
    text = "the newest assignment as branch main too"
    branches.add_argument("--single", action="store_true", help=text)
    text = "push without booting what changed (make publish never does)"
    branches.add_argument("--unproven", action="store_true", help=text)
    text = "the zip that Gradescope takes as a stage's autograder"
    packed = add(_gradescope, "gradescope", text, "stage", "arch")
    text = "how long it may run there (default: 10)"
    packed.add_argument("--minutes", type=int, default=10, help=text)
    text = "grade a whole class, in parallel; the same command again goes on"
    cohort = add(_class, "class", text, "stage", "arch", "seed", "tier")
    for name, text in CLASS.items():
        cohort.add_argument(f"--{name}", help=text)
    text = "let what --check shows count"
    cohort.add_argument("--accept", action="store_true", help=text)
    text = "overview, marks, feedback, similarity of a class run, written anew"
    results = add(_class_results, "class-results", text, "stage")
    results.add_argument("out", nargs="?", help=CLASS["out"])
    for name, text in RESULTS.items():
        cohort.add_argument(f"--{name}", help=text)
        results.add_argument(f"--{name}", help=text)
    figures = add(_bench, "bench", "measure the kernel and the grader")
    text = "only instructions, as what later releases are compared with"
    figures.add_argument("--record", action="store_true", help=text)
    text = "only a class of so many submissions, 300 say"
    figures.add_argument("--cohort", metavar="N", type=int, default=0, help=text)
