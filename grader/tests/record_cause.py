# SPDX-License-Identifier: MIT
"""Records a run for grader/tests/data/causes: python3 -m grader.tests.record_cause

    --stage S --arch A --src DIR [--prior DIR] [--boot NAME] [--key KEY | --new]

boots the gap files of DIR (solutions/ with a mutant's patch, for one), and says which
causes the explanations name in each boot. --key writes the record of that one, --new
one of each cause that has none. With --golden alone it writes what the explanations
say of every record into the golden files.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Iterator, Optional

from grader import settings as course_settings
from grader.checks.record import Evidence
from grader.course import Course
from grader.engine import Engine
from grader.evidence import explain, trace
from grader.evidence.scene import Scene
from grader.grading import specs_of
from grader.settings import ROOT
from grader.tests import causes
from grader.tests.causes import Noting, NotingPlaces, Record

RECORD = re.compile(
    rb"^(?:check_exception old: .*\n|Servicing hardware .*\n)? *\d+: v=", re.MULTILINE
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("stage", "arch", "src", "boot", "key"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--new", action="store_true")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--made", default="")
    parser.add_argument("--prior", default=str(ROOT / "solutions"))
    parser.add_argument("--golden", action="store_true")
    chosen = parser.parse_args()
    if chosen.golden:
        rewrite()
        return
    with tempfile.TemporaryDirectory() as out:
        for name, evidence in boots(chosen, out):
            found = list(named(evidence.scene))
            print(name, evidence.run.end.name, *(f"{a}:{k}" for a, k in found))
            made = chosen.made or Path(chosen.src).name
            for question, key in found:
                file = causes.FOLDER / f"{key}-{chosen.arch}.json"
                if key == chosen.key or chosen.new and not file.exists():
                    record = shortest(evidence, question, key)
                    record.made = f"{made}, boot {name}"
                    causes.FOLDER.mkdir(exist_ok=True)
                    record.write(causes.FOLDER)


def rewrite() -> None:
    """The golden files anew, from the records."""
    for path in sorted(causes.FOLDER.glob("*.json")):
        record = Record.read(path)
        found = causes.ask(record.scene(), record.ask, record.key)
        if found is None:
            print(f"{path.name} does not lead to {record.key} any more")
        else:
            path.with_suffix(".txt").write_text(causes.golden(found), "utf-8")


def boots(chosen: argparse.Namespace, out: str) -> Iterator[tuple[str, Evidence]]:
    """The boots of the stage, or the one that was named, each with its evidence."""
    settings = course_settings.resolve(
        Course.load(ROOT),
        stages=chosen.stage,
        arches=chosen.arch,
        src=chosen.src,
        prior=chosen.prior,
        seed=chosen.seed,
        out=out,
    )
    engine = Engine(settings)
    (stage,) = settings.stages
    try:
        specs = {boot.name: boot for spec in specs_of(stage.id) for boot in spec.boots}
        for name, spec in specs.items():
            if chosen.boot in ("", name):
                yield name, engine.evidence(chosen.arch, stage, spec)
    finally:
        engine.close()


def named(scene: Scene) -> Iterator[tuple[str, str]]:
    """Each question with the causes that it brings."""
    if scene.end != "DONE":
        yield "end", explain.diagnose(scene).key
    faults = [event for event in scene.interrupts if not event.hardware]
    for key in {explain.fault(scene, event).key for event in faults[-20:]}:
        yield "fault", key
    for found in explain.observe(scene):
        yield "silent", found.key


def shortest(evidence: Evidence, question: str, key: str) -> Record:
    """The record with no more of the log than the same explanation needs.

    Where that counts records, as of a loop, a few must do.
    """
    whole = causes.ask(evidence.scene, question, key)
    assert whole is not None
    log = evidence.run.trace.read_bytes()
    starts = [found.start() for found in reversed(list(RECORD.finditer(log)))]
    starts = [len(log), *starts]
    few: Optional[Record] = None
    for size in (1, 2, 3, 5, 9, 17, 33, len(starts)):
        begin = starts[min(size, len(starts)) - 1]
        record = recorded(evidence, question, key, log[begin:])
        found = record and causes.ask(record.scene(), question, key)
        if record and found and found.seen == whole.seen:
            return record
        few = few or (record if size > 2 else None)
        if few and size > 9:
            return few
    raise LookupError(f"the log does not lead to {key}")


def recorded(
    evidence: Evidence, question: str, key: str, log: bytes
) -> Optional[Record]:
    """The record with this much of the log; None if that leads to another cause."""
    full = evidence.scene
    assert full.ram is not None and full.symbols is not None
    ram, places = Noting(full.ram), NotingPlaces(full.symbols)
    scene = replace(full, events=trace.parse(log), ram=ram, symbols=places)
    found = causes.ask(scene, question, key)
    if found is None:
        return None
    return Record(
        key=key,
        arch=scene.arch,
        ask=question,
        made="",
        end=scene.end,
        log=log.decode("latin-1"),
        registers=evidence.run.registers,
        console=scene.console[-4000:].decode("latin-1"),
        stderr=scene.stderr,
        detail=scene.detail,
        ram={f"{at:#x}": line.hex() for at, line in sorted(ram.lines.items())},
        places={
            f"{at:#x}": [p.function, p.offset, p.file, p.line]
            for at, p in sorted(places.places.items())
        },
    )


if __name__ == "__main__":
    main()
