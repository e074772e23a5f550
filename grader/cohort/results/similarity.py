# SPDX-License-Identifier: MIT
"""OUT/similarity.html and OUT/similarity/<stage>/: pairs, and folders for other tools.

    pairs.json                 who resembles whom, in percent
    001.html                   a pair side by side
    submissions/<name>/        the gap files of one submission
    handout/                   what all of them began with
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grader.cohort.results import similar_page
from grader.cohort.results.similar import LANGUAGES, Texts, pairs
from grader.cohort.store import Store
from grader.course import Course, Stage
from grader.verdict.write import write_json, write_text

FOLDER, INDEX, LIST = "similarity", "similarity.html", "pairs.json"
OTHERS, HANDOUT = "submissions", "handout"
PAGES = 200
LINES, LINE_LENGTH = 1500, 1000  # what is more is no source that someone wrote
INSTALL = "see `make doctor`: the package is similarity-tester"


def compare_all(store: Store, course: Course, stage_id: str, out: Path) -> list[str]:
    """Write OUT/similarity/<stage>/; returns what to tell."""
    missing = [one.tool for one in LANGUAGES if not shutil.which(one.tool)]
    if missing:
        return [f"no similarity list: {missing[0]} is missing; {INSTALL}"]
    stage = course.stage(stage_id)
    handout = _read(course.root / "assignments" / stage.id, stage)
    handed_in = [one for one in store.handed_in(stage.id) if one.src]
    titles = Counter(one.title for one in handed_in)
    texts = {
        one.title
        if titles[one.title] == 1
        else one.name: _read(out / one.src / stage.id, stage)
        for one in handed_in
    }
    known = {name: _read(place, stage) for name, place in _known(course, stage)}
    everybody = {**texts, **known}
    found, notes = pairs(everybody, handout, set(known))
    place = out / FOLDER / stage.id
    shutil.rmtree(place, ignore_errors=True)
    _for_others(
        place, dict(zip((one.name for one in handed_in), texts.values())), handout
    )
    listed = []
    for number, pair in enumerate(found):
        if number < PAGES:
            page = f"{FOLDER}/{stage.id}/{number + 1:03}.html"
            pair = dataclasses.replace(pair, page=page)
            sides = everybody[pair.left], everybody[pair.right]
            write_text(out / page, similar_page.render(stage, pair, *sides, handout))
        listed.append(dataclasses.asdict(pair))
    write_json(place / LIST, {"pairs": listed, "notes": notes, "count": len(texts)})
    return [f"{len(found)} pairs are alike: {out / INDEX}"] if found else []


def write_index(course: Course, out: Path) -> dict[str, int]:
    """Write OUT/similarity.html over all stages; how many pairs each has."""
    every: dict[Stage, dict[str, Any]] = {}
    for stage in course.stages:
        file = out / FOLDER / stage.id / LIST
        if file.is_file():
            every[stage] = json.loads(file.read_text(encoding="utf-8"))
    if every:
        write_text(out / INDEX, similar_page.render_all(every, LANGUAGES))
    return {stage.id: len(data["pairs"]) for stage, data in every.items()}


def _known(course: Course, stage: Stage) -> Iterator[tuple[str, Path]]:
    yield "(the reference)", course.root / "solutions" / stage.id
    for place in sorted((course.root / "grader/variants" / stage.id).glob("*/")):
        yield f"(right solution {place.name})", place


def _read(folder: Path, stage: Stage) -> dict[str, str]:
    """The gap files that are there, but for those that nobody wrote by hand."""
    found = {}
    for gap in stage.all_gaps():
        file = folder / gap
        text = file.read_bytes().decode("utf-8", "replace") if file.is_file() else ""
        lines = text.splitlines()
        if lines and len(lines) <= LINES and max(map(len, lines)) <= LINE_LENGTH:
            found[gap] = text
    return found


def _for_others(place: Path, texts: Mapping[str, Texts], handout: Texts) -> None:
    """A folder each, and the handout beside them, as Dolos, JPlag and MOSS want it."""
    folders = {place / OTHERS / name: files for name, files in texts.items()}
    for folder, files in {**folders, place / HANDOUT: handout}.items():
        for gap, text in files.items():
            write_text(folder / gap, text)
