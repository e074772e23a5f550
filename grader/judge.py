# SPDX-License-Identifier: MIT
"""Runs one check and says how it came out; arbitrates when the harness is in doubt."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.checks.api import Case, CheckFailed, TaskOpen
from grader.course import Course
from grader.engine import Engine
from grader.errors import operator_fault
from grader.settings import Settings
from grader.verdict.model import BuildMessage, CheckResult, Status, plain, plain_exhibit

Function = Callable[[Case], None]


@dataclass(frozen=True)
class Outcome:
    """A check's result, the facts it judged, and the build's messages if it failed."""

    result: CheckResult
    facts: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[BuildMessage, ...] = ()


class Judge:
    """Judges the checks of one run, in the manifest's order for each stage."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.settings = settings
        self.engine = engine
        self._reference: Engine | None = None
        self._results: dict[tuple[str, str], CheckResult] = {}

    def judge(self, case: Case, function: Function) -> Outcome:
        """Raises OperatorError when the fault is neither submission's nor harness's."""
        blocked = self._blocked(case, function)
        outcome = Outcome(blocked) if blocked else self._run(case, function)
        self._results[case.arch, case.id] = outcome.result
        warnings = self.engine.warnings(case.arch, case.stage)
        messages = outcome.messages + tuple(_message(w) for w in warnings)
        return dataclasses.replace(outcome, messages=messages)

    def close(self) -> None:
        if self._reference:
            self._reference.close()

    def _blocked(self, case: Case, function: Function) -> CheckResult | None:
        """The result that a check before this one settles; None if this one can run."""
        for need in case.spec.needs:
            before = self._results.get((case.arch, need))
            if before is None or before.status in (Status.PASS, Status.BUILD_ERROR):
                continue
            status, seen, hint = before.status, before.seen, before.hint
            if status is not Status.NOT_IMPLEMENTED:
                status, hint = Status.BLOCKED, ""
                seen = f"The check {need} has to pass before this one means anything."
            texts = {"seen": seen, "hint": hint, "blocked_by": need}
            return _result(case, function, status, **texts)
        return None

    def _run(self, case: Case, function: Function) -> Outcome:
        from grader.build import SubmissionError

        try:
            function(case)
            result = _result(case, function, Status.PASS)
        except CheckFailed as failed:
            result = _result(case, function, Status.FAIL, **_texts(failed))
            shown = tuple(plain_exhibit(exhibit) for exhibit in failed.exhibits)
            result = dataclasses.replace(result, exhibits=shown)
        except TaskOpen as stub:
            texts = open_task(self.settings.course, stub.task)
            result = _result(case, function, Status.NOT_IMPLEMENTED, **texts)
        except SubmissionError as error:
            messages = tuple(_message(m) for m in error.messages)
            seen = _build_text(case, messages)
            result = _result(case, function, Status.BUILD_ERROR, **seen)
            return Outcome(result, case.facts, messages)
        except Exception as error:
            fault = operator_fault(error, str(self.settings.out))
            if fault:
                raise fault from error
            result = self._arbitrate(case, function, error)
        return Outcome(result, case.facts)

    def _arbitrate(
        self, case: Case, function: Function, error: Exception
    ) -> CheckResult:
        """The same check on the reference tells whose fault an odd state is."""
        odd = _odd(error)
        if self._reference_passes(case, function):
            return _result(
                case,
                function,
                Status.FAIL,
                expected="The kernel is left in a state that can be judged.",
                seen=f"Its state could not be judged: {odd}",
                cause="The reference solution does not lead there, this one does.",
                hint="Look at what the kernel does to its tables and its memory.",
            )
        return _result(
            case,
            function,
            Status.HARNESS_ERROR,
            seen=f"The grader itself failed: {odd}",
            hint="This says nothing about the submission: tell the course's staff.",
            source=self._keep(case, error),
        )

    def _keep(self, case: Case, error: Exception) -> str:
        """Leave the whole story for the staff, in a file of the run."""
        file = self.engine.runs_folder(case.arch, case.stage) / f"{case.id}.traceback"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        return str(file)

    def _reference_passes(self, case: Case, function: Function) -> bool:
        solutions = self.settings.course.root / "solutions"
        own = (self.settings.src, self.settings.prior) == (solutions, solutions)
        if own or not (solutions / case.stage.id).is_dir():
            return False
        if not self._reference:
            settings = dataclasses.replace(
                self.settings, src=solutions, prior=solutions
            )
            self._reference = Engine(settings, runs="reference")
        again = dataclasses.replace(case, source=self._reference, facts={})
        try:
            function(again)
        except Exception:
            return False
        return True


def open_task(course: Course, task: str) -> dict[str, str]:
    """The texts about a boot that ran into the stub of an open task."""
    titles = {t.id: t.title for stage in course.stages for t in stage.tasks}
    title = titles.get(task, "")
    named = f"{task} ({title})" if title else task
    return {
        "seen": f"Task {named} is still open: the kernel ran into its stub.",
        "hint": f"Write task {task} where its TASK_OPEN stands.",
    }


def title_of(function: Function) -> str:
    """The sentence that the student reads: the docstring's first paragraph."""
    text = (function.__doc__ or function.__name__).strip().split("\n\n")[0]
    return " ".join(text.split())


def _odd(error: Exception) -> str:
    """The exception, and the last line of the grader's own that it passed through."""
    text = "".join(traceback.format_exception_only(type(error), error)).strip()
    frames = traceback.extract_tb(error.__traceback__)
    here = str(Path(__file__).parent)
    own = [f for f in frames if f.filename.startswith(here)] or list(frames)
    return f"{text} ({Path(own[-1].filename).name}:{own[-1].lineno})"


def _result(
    case: Case, function: Function, status: Status, **texts: str
) -> CheckResult:
    entry = case.entry
    return CheckResult(
        id=entry.id,
        task=entry.task,
        title=plain(title_of(function)),
        status=status,
        points=entry.points if status is Status.PASS else 0,
        max_points=entry.points,
        bonus=entry.bonus,
        staff=entry.staff,
        shown=entry.shown,
        shown_from=entry.shown_from.isoformat() if entry.shown_from else "",
        exhibits=(),
        boots=tuple(spec.name for spec in case.spec.boots),
        **{key: plain(str(text)) for key, text in texts.items()},
    )


def _texts(failed: CheckFailed) -> dict[str, str]:
    return {
        "expected": failed.expected,
        "seen": failed.seen,
        "cause": failed.cause,
        "hint": failed.hint,
        "read": failed.read,
        "source": failed.source,
    }


def _message(message: Any) -> BuildMessage:
    """What the build layer says, as the verdict holds it."""
    return BuildMessage(
        stage=plain(str(message.stage)),
        file=plain(str(message.file)).replace("\n", " "),
        line=message.line or 0,
        column=message.column or 0,
        severity=plain(str(message.severity)),
        text=plain(str(message.text)),
    )


def _build_text(case: Case, messages: tuple[BuildMessage, ...]) -> dict[str, str]:
    errors = [m for m in messages if m.severity == "error"] or list(messages)
    if not errors:
        return {"seen": "The kernel does not build.", "hint": ""}
    first = errors[0]
    where = f"{first.file}:{first.line}" if first.line else first.file
    cause = ""
    if first.stage and first.stage != case.stage.id:
        cause = f"The fault lies in the earlier stage {first.stage}."
    return {
        "expected": "The gap files become a kernel.",
        "seen": f"{where}: {first.text}",
        "cause": cause,
        "source": where,
    }
