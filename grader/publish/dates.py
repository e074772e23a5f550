# SPDX-License-Identifier: MIT
"""assignments/course.toml: who publishes, and when each branch comes and goes."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib

from grader.course import Course, Stage
from grader.errors import OperatorError

FILE = Path("assignments/course.toml")
TERM_START, RELEASE, DEADLINE = "term start", "release", "deadline"
NEVER = "never"
ONLINE, OFFLINE = "fresh_online", "fresh_offline"
KEYS = (RELEASE, DEADLINE, ONLINE, OFFLINE)
RULE = re.compile(r"(?:(\d+) days? (after|before) )?(term start|release|deadline)")
AUTHOR = re.compile(r"[^<>\n]+ <[^<>\s]+@[^<>\s]+>")


@dataclass(frozen=True)
class Dates:
    """The course file. Each rule is a date, or text such as "14 days after release".

    rules: by stage, then key; author: "name <address>" of the published commits.
    """

    file: Path
    author: str
    arches: tuple[str, ...]
    term_start: date | None
    rules: Mapping[str, Mapping[str, Any]]

    @classmethod
    def load(cls, course: Course) -> Dates:
        """Raises OperatorError with the place and the mend."""
        file = course.root / FILE
        try:
            data = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise OperatorError(f"{FILE} is missing", "write it") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise OperatorError(f"{FILE}: {error}", "mend it there") from None
        _known(data, "", ("author", "arch", "term_start", "default", "stage"))
        stages = _table(data, "stage")
        _known(stages, "stage.", [stage.id for stage in course.stages])
        default = _table(data, "default")
        rules = {s.id: {**default, **_table(stages, s.id)} for s in course.stages}
        for key in sorted({key for table in rules.values() for key in table}):
            _known({key: 0}, "default.", KEYS)
        author = str(data.get("author", ""))
        if not AUTHOR.fullmatch(author):
            raise _fault("author", f"{author!r} is nobody", '"name <mail@address>"')
        arches = tuple(data.get("arch", course.arches))
        for arch in arches:
            if arch not in course.arches:
                raise _fault("arch", f"{arch!r} is unknown", str([*course.arches]))
        start = data.get("term_start")
        if start is not None and type(start) is not date:
            raise _fault("term_start", f"{start!r} is no date", "2026-10-12")
        made = cls(FILE, author, arches, start, rules)
        for stage in course.stages:
            for key in rules[stage.id]:
                made.when(stage, key)
        return made

    def when(self, stage: Stage, key: str) -> date | None:
        """The day that the rule of `stage` names, date.max for "never"; None: it has no
        rule, or names an event that the file does not date."""
        return self._when(stage, key, ())

    def _when(self, stage: Stage, key: str, above: tuple[str, ...]) -> date | None:
        rule = self.rules[stage.id].get(key)
        where = f"{FILE}: stage.{stage.id}.{key}"
        return None if rule is None else self.day(stage, rule, where, (*above, key))

    def day(
        self, stage: Stage, rule: Any, where: str, above: tuple[str, ...] = ()
    ) -> date | None:
        """The day that a rule names for `stage`, such as "1 day after deadline".

        where: its place, for an error. above: the keys whose rules led to this one.
        """
        if type(rule) is date:
            return rule
        if rule == NEVER:
            return date.max
        named = RULE.fullmatch(rule) if isinstance(rule, str) else None
        if named is None:
            mend = 'write "14 days after term start", or a date'
            raise OperatorError(f"{where}: {rule!r}", mend)
        count, direction, event = named.groups()
        if event in above:
            what = f"{where}: {rule!r} leads back to itself"
            raise OperatorError(what, "write a date")
        if event == TERM_START:
            day = self.term_start
        else:
            day = self._when(stage, event, above)
        if day is None or day == date.max:
            return day
        days = timedelta(int(count or 0))
        return day - days if direction == "before" else day + days

    def released(self, stage: Stage, today: date) -> bool:
        """An assignment without a date is there from the start."""
        day = self.when(stage, RELEASE)
        return day is None or day <= today

    def draft(self, stage: Stage) -> bool:
        """Is the stage still being written: no branch, and no corpora yet."""
        return self.when(stage, RELEASE) == date.max

    def fresh(self, stage: Stage, today: date) -> bool:
        """A fresh branch without both its dates does not exist."""
        first, last = self.when(stage, ONLINE), self.when(stage, OFFLINE)
        return first is not None and last is not None and first <= today < last


def _fault(key: str, what: str, example: str) -> OperatorError:
    return OperatorError(f"{FILE}: {key}: {what}", f"write {example}")


def _known(table: Mapping[str, Any], prefix: str, keys: Any) -> None:
    for key in table:
        if key not in keys:
            raise _fault(f"{prefix}{key}", "is unknown", f"one of {', '.join(keys)}")


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise _fault(key, "is no table", f"a section [{key}]")
    return value
