# SPDX-License-Identifier: MIT
"""`grader new`: a stage that is graded at once, to be filled with one's own."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from grader.course import CHECK_ID, STAGE_ID, Course
from grader.errors import OperatorError
from grader.handouts import handouts
from grader.publish.dates import FILE, NEVER, RELEASE

HERE = Path(__file__).parent
FILES = {
    "assignment.toml": "assignments/$id/assignment.toml",
    "sheet.md": "assignments/$id/README.md",
    "glue.c": "assignments/$id/glue.c",
    "demo.c": "assignments/$id/demo.c",
    "contract.h": "kernel/include/course/$id.h",
    "count.c": "solutions/$id/count.c",
    "scenario.c": "grader/scenarios/$id.c",
    "check.py": "grader/checks/test_${nn}_$prefix.py",
    "mutant.patch": "grader/mutants/$id/counts-first.patch",
}
LONGEST = 20  # of a name, so that the lines of the templates keep to their columns
TITLE = re.compile(r'[^"\\$*]{1,60}')
NEXT = """\
Unpublished as long as {file} says release = "{never}" for it. Then:
  make grade A={id}       the reference has full points
  make mutants A={id}     the wrong solution is noticed
  make test                   handouts, reference and the grader's own tests
and grader/README.md ("A new stage") says how to make it yours."""


def new_stage(root: Path, stage: str | None, title: str | None) -> int:
    """Write the skeleton of `stage` (NN-name, behind the last one) and its handout."""
    words = _words(Course.load(root), stage or "", title or "")
    texts: dict[Path, str] = {}
    for template, target in FILES.items():
        path = root / Template(target).substitute(words)
        if path.exists():
            what = f"{path.relative_to(root)} exists"
            raise OperatorError(what, "remove it, or choose another name")
        text = (HERE / f"{template}.in").read_text(encoding="utf-8")
        texts[path] = Template(text).substitute(words)
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(root))
    with (root / FILE).open("a", encoding="utf-8") as dates:
        dates.write(f'\n[stage.{stage}]\n{RELEASE} = "{NEVER}"\n')
    handouts(root, check=False)
    print(NEXT.format(file=FILE, never=NEVER, id=stage))
    return 0


def _words(course: Course, stage: str, title: str) -> dict[str, str]:
    """What the templates leave open."""
    last = course.stages[-1]
    found, name = STAGE_ID.fullmatch(stage), stage[3:]
    if not found or not CHECK_ID.fullmatch(name) or len(name) > LONGEST:
        example = f"A={last.order + 1:02}-name, the name {LONGEST} characters at most"
        raise OperatorError(f"A={stage} is no id of a stage", f"write {example}")
    number = int(found[1])
    if number <= last.order:
        what = f"{stage} would not come behind {last.id}, the last stage"
        raise OperatorError(what, f"write A={last.order + 1:02}-{name}, or a later one")
    if not TITLE.fullmatch(title) or not title.isprintable() or not title.strip():
        mend = (
            "write TITLE='A few words', without quotes, stars, dollars or backslashes"
        )
        raise OperatorError(f"TITLE={title} is no title", mend)
    prefix = name.replace("-", "_")
    return {
        "id": stage,
        "title": title,
        "nn": found[1],
        "number": str(number),
        "name": name,
        "prefix": prefix,
        "guard": f"{found[1]}_{prefix.upper()}_H",
        # Three digits, below AFTER_ALL_INIT (init.h), and rising.
        "order": str(100 * number if number < 10 else 900 + number),
    }
