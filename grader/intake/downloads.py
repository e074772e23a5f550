# SPDX-License-Identifier: MIT
"""Where the submissions of a class lie: in a folder, a platform's download, a list.

    a folder        a folder, an archive or a git bundle for each
    Gradescope      its export: submission_123/ each, submission_metadata.yml
    Moodle          its download, unpacked: "Ada Lovelace_123_assignsubmission_file_"
    a list          a .csv file: name,url[,ref], a git remote each
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.course import Course
from grader.errors import OperatorError
from grader.intake import remotes
from grader.intake.archive import is_archive
from grader.intake.submission import (
    Gaps,
    Submission,
    Unreadable,
    archive,
    beside,
    folder,
)

People = tuple[Mapping[str, str], ...]
Read = Callable[[Course, Gaps, Path], Submission]
GRADESCOPE = "submission_metadata.yml"
MOODLE = re.compile(
    r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)_?(?P<rest>.*)"
)
# Beside submissions lie lists and notes; these belong to nobody.
NOTES = (".csv", ".yml", ".yaml", ".json", ".txt", ".md", ".html", ".ods", ".xlsx")


@dataclass(frozen=True)
class Source:
    """One submission that can be read.

    title: as the platform or the folder names it. people: who handed it in, as the
    platform says: name, email, sid, id. read: given the course, the gap files that may
    lie loose, and a folder for scratch; raises OperatorError for a fault of what was
    handed in, Unreadable for one of ours.
    """

    title: str
    read: Read
    people: People = ()


def sources(place: Path) -> list[Source]:
    """Everything that was handed in, by title. Raises OperatorError."""
    if place.is_file() and place.suffix == ".csv":
        found = _listed(place)
    elif not place.is_dir():
        what = f"SUBMISSIONS={place} is no folder, and no list (.csv)"
        mend = "unpack what the platform gave you, and give the folder"
        raise OperatorError(
            what if place.exists() else f"{what}: nothing is there", mend
        )
    elif (place / GRADESCOPE).is_file():
        found = _gradescope(place)
    else:
        found = _folder(place)
    if not found:
        mend = "give a folder with a folder, an archive or a bundle for each"
        raise OperatorError(f"SUBMISSIONS={place} holds no submission", mend)
    return sorted(found, key=lambda source: source.title)


def _folder(place: Path) -> list[Source]:
    """A source each entry; of Moodle's, what belongs to one person together."""
    found: list[Source] = []
    moodle: dict[tuple[str, str], list[Path]] = {}
    for entry in sorted(place.iterdir()):
        named = MOODLE.fullmatch(entry.name)
        if named and named["kind"] == "file":
            moodle.setdefault((named["name"], named["id"]), []).append(entry)
        elif not (named or entry.name.startswith(".") or _note(entry)):
            found.append(Source(entry.name, _reader(entry)))
    for (name, number), entries in moodle.items():
        people = ({"name": name, "id": number},)
        title = f"{name} {number}"
        found.append(Source(title, _reader(*entries), people))
    return found


def _note(entry: Path) -> bool:
    return entry.suffix.lower() in NOTES and entry.is_file()


def _gradescope(place: Path) -> list[Source]:
    try:
        import yaml
    except ImportError:
        mend = "install it: apt-get install python3-yaml"
        raise OperatorError(f"{GRADESCOPE} cannot be read without YAML", mend) from None
    file = place / GRADESCOPE
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
        known = {name: _people(entry) for name, entry in data.items()}
    except (yaml.YAMLError, ValueError, AttributeError, KeyError, TypeError) as error:
        first = str(error).splitlines()[0]
        mend = "download the export again: Review Grades, Export Submissions"
        raise OperatorError(f"{file} is not Gradescope's: {first}", mend) from None
    return [
        Source(name, _reader(place / name), people) for name, people in known.items()
    ]


def _people(entry: Mapping[str, Any]) -> People:
    """The submitters, whose keys are symbols of Ruby."""
    return tuple(
        {key: str(each[f":{key}"] or "") for key in ("name", "sid", "email")}
        for each in entry[":submitters"]
    )


def _listed(file: Path) -> list[Source]:
    found = []
    with file.open(newline="", encoding="utf-8-sig") as stream:
        for number, row in enumerate(csv.reader(stream), 1):
            words = [word.strip() for word in row]
            if not any(words) or words[:2] == ["name", "url"]:
                continue
            if len(words) not in (2, 3) or not all(words[:2]):
                what = f"{file}, line {number}, is no name,url[,ref]"
                raise OperatorError(what, "write one repository a line")
            name, url, ref = (*words, "")[:3]
            found.append(Source(name, _fetcher(name, url, ref)))
    return found


def _fetcher(name: str, url: str, ref: str) -> Read:
    def read(course: Course, gaps: Gaps, scratch: Path) -> Submission:
        return remotes.remote(name, url, ref, course, scratch)

    return read


def _reader(*entries: Path) -> Read:
    """What lies in one folder, archive or bundle; several files are all of it."""

    def read(course: Course, gaps: Gaps, scratch: Path) -> Submission:
        return _opened(entries, course, gaps, scratch)

    return read


def _handed_in_as(name: str) -> str:
    """What Moodle wrote its own words before."""
    named = MOODLE.fullmatch(name)
    return named["rest"] if named else name


def _bundle(file: Path) -> bool:
    regular = file.is_file() and not file.is_symlink()
    return regular and file.name.endswith(remotes.BUNDLE)


def _opened(
    entries: Sequence[Path], course: Course, gaps: Gaps, scratch: Path
) -> Submission:
    first = entries[0]
    if len(entries) > 1:
        return beside(entries, _handed_in_as, course, gaps)
    if first.is_symlink():
        raise Unreadable(f"{first.name} is a link", "put there what it points to")
    if first.is_dir():
        inside = [*first.iterdir()]
        if len(inside) == 1 and _bundle(inside[0]):
            return remotes.bundle(inside[0], course, scratch)
        return folder(first, course, gaps)
    if _bundle(first):
        return remotes.bundle(first, course, scratch)
    if is_archive(first.name):
        return archive(first, course, gaps)
    if not first.exists():
        raise OperatorError("nothing was handed in", "hand in the files of the stage")
    what = f"{first.name} is no archive that is known"
    raise OperatorError(what, "hand in a .zip or .tar.gz of the sources alone")
