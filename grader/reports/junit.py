# SPDX-License-Identifier: MIT
"""JUnit XML: a suite for each stage and architecture, a case for each check.

What costs points is a failure, blocked checks and open tasks too: as `skipped` they
would look harmless. Only a bonus that was not earned is skipped, as nobody needs it.
So the suites are green exactly when the grader's exit status is 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree as xml

from grader.reports.data import RunData, StageData
from grader.verdict.model import CheckResult, Status, Verdict

TEXT_LIMIT = 20_000  # characters that a platform shows of one case
# What XML 1.0 cannot hold, even escaped.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS = {Status.HARNESS_ERROR: "error"}


# A check's pictures, as paths from the root of the project.
Pictures = Callable[[StageData, CheckResult], list[str]]


def render(
    run: RunData,
    *,
    messages: bool = True,
    properties: bool = True,
    pictures: Pictures = lambda stage, check: [],
) -> str:
    """The report of a run; equal verdicts give equal bytes.

    messages, properties: some platforms show the attribute in place of the text, or
    refuse the element. pictures: GitLab shows them with their case.
    """
    root = xml.Element("testsuites", name="ringlab")
    for stage in run.stages:
        suite = _suite(stage, pictures)
        for found in [] if messages else suite.iterfind("testcase/*[@message]"):
            found.attrib.pop("message")
        for found in [] if properties else suite.findall("properties"):
            suite.remove(found)
        root.append(suite)
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, 0)) for suite in root)))
    xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(
        root, encoding="unicode"
    )


def _suite(stage: StageData, pictures: Pictures) -> xml.Element:
    verdict = stage.verdict
    suite = xml.Element("testsuite", name=f"{verdict.arch}.{verdict.stage}")
    properties = xml.SubElement(suite, "properties")
    for name in ("title", "status", "points", "max_points", "bonus", "seed", "sandbox"):
        value = getattr(verdict, name)
        text = value.value if isinstance(value, Status) else str(value)
        xml.SubElement(properties, "property", name=name, value=_legal(text))
    for check in verdict.checks:
        case = _case(check, verdict)
        paths = pictures(stage, check) if case.find("failure") is not None else []
        if paths:
            shown = "".join(f"[[ATTACHMENT|{path}]]\n" for path in paths)
            xml.SubElement(case, "system-out").text = shown
        suite.append(case)
    suite.set("tests", str(len(verdict.checks)))
    for count, tag in (("failures", "failure"), ("errors", "error")):
        suite.set(count, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    return suite


def _case(check: CheckResult, verdict: Verdict) -> xml.Element:
    """Its name alone tells it from every other one: some platforms read no more."""
    place = f"ringlab.{verdict.arch}.{verdict.stage}"
    name = f"{check.id} ({verdict.arch})"
    case = xml.Element("testcase", classname=place, name=name)
    if check.status is Status.PASS:
        return case
    told = [f"{check.task} {check.title} ({check.points}/{check.max_points})"]
    told += [f"{label}: {text}" for label, text in check.told()]
    told += [line for exhibit in check.exhibits for line in exhibit.lines()]
    first = check.seen or check.status.value
    tag = _TAGS.get(check.status, "skipped" if check.bonus else "failure")
    found = xml.SubElement(case, tag, message=_legal(" ".join(first.split())))
    if tag != "skipped":
        found.set("type", check.status.value)
    found.text = _legal("\n".join(told))
    return case


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)[:TEXT_LIMIT]
