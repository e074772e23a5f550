# SPDX-License-Identifier: MIT
"""The pages of a similarity list: all pairs, and each pair side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.cohort.results.similar import Language, Pair, Texts, given_lines
from grader.course import Stage
from grader.diff.code import lines_of
from grader.diff.page import environment
from grader.diff.rows import Row, rows

HERE = Path(__file__).parent
LISTED = 1000


def render(
    stage: Stage,
    pair: Pair,
    left: Texts,
    right: Texts,
    handout: Texts,
) -> str:
    template = environment(HERE).get_template("pair.html.j2")
    files = [*_files(left, right, handout)]
    return template.render(stage=stage, pair=pair, files=files)


def render_all(
    every: Mapping[Stage, Mapping[str, Any]], languages: Sequence[Language]
) -> str:
    template = environment(HERE).get_template("similarity.html.j2")
    return template.render(every=every, languages=languages, most=LISTED)


def _files(
    left: Texts, right: Texts, handout: Texts
) -> Iterator[tuple[str, list[tuple[Row, bool]]]]:
    """Each file that both have: its rows, and whether the handout has that line."""
    for gap in left:
        if gap in right:
            found = rows(lines_of(left[gap], gap), lines_of(right[gap], gap), gap)
            given = given_lines(handout.get(gap, ""))
            yield gap, [(row, _given(row, given)) for row in found]


def _given(row: Row, given: set[str]) -> bool:
    return all(side.text.strip() in given for side in (row.left, row.right) if side)
