# SPDX-License-Identifier: MIT
"""The pytest plugin: checks become tests, one an architecture; verdicts follow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import pytest

from grader.checks.api import MARK, Case, CheckSpec
from grader.errors import OperatorError
from grader.grading import Grading
from grader.verdict.collect import Record
from grader.verdict.model import Status

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

PROPERTY = "ringlab"
FAULT = "ringlab-operator"
GRADING = pytest.StashKey[Grading]()
F = TypeVar("F", bound=Callable[..., Any])
OPTIONS = ("stage", "arch", "src", "prior", "seed", "out")


def hook(**options: bool) -> Callable[[F], F]:
    """pytest.hookimpl, which carries no types in Debian 12's pytest."""

    def mark(function: F) -> F:
        marked: F = pytest.hookimpl(**options)(function)
        return marked

    return mark


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ringlab")
    group.addoption("--stage", help="stages to grade (default: all)")
    group.addoption("--arch", help="architectures to grade (default: all)")
    group.addoption("--src", help="folder of the gap files, <src>/<stage>/<path>")
    group.addoption("--prior", help="folder of the earlier stages (default: --src)")
    group.addoption("--seed", help="64-bit hexadecimal (default: random)")
    group.addoption("--out", help="folder for verdicts and logs")


def pytest_configure(config: pytest.Config) -> None:
    worker = getattr(config, "workerinput", None)
    grading = config.stash.get(GRADING, None)
    if grading is None:
        options = {name: config.getoption(name) for name in OPTIONS}
        if worker is not None:
            options["seed"] = worker["ringlab_seed"]
        grading = Grading(options, is_worker=worker is not None)
    if not config.pluginmanager.has_plugin("ringlab-hooks"):
        config.pluginmanager.register(Hooks(config, grading), "ringlab-hooks")


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Case:
    """The check on one architecture; parametrised by pytest_generate_tests."""
    found = request.param
    assert isinstance(found, Case)
    return found


class Hooks:
    """One pytest session. The work itself is grader.grading's."""

    def __init__(self, config: pytest.Config, grading: Grading) -> None:
        self.config = config
        self.grading = grading

    def pytest_report_header(self) -> str:
        return f"ringlab: SEED={self.grading.seed_text()}"

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        spec = getattr(metafunc.function, MARK, None)
        if spec is None or "case" not in metafunc.fixturenames:
            return
        try:
            cases = self.grading.cases(spec)
        except OperatorError as error:
            self._give_up(error)
        ids = [case.arch for case in cases]
        metafunc.parametrize("case", cases, indirect=True, ids=ids)

    @hook(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Checks first, in the manifests' order; those not asked for are deselected."""
        mine = [item for item in items if _spec(item)]
        gone = [item for item in mine if not self._wanted(item)]
        kept = [item for item in mine if self._wanted(item)]
        kept.sort(key=lambda item: self.grading.position(_case(item)))
        items[:] = kept + [item for item in items if not _spec(item)]
        if gone:
            self.config.hook.pytest_deselected(items=gone)

    def _wanted(self, item: pytest.Item) -> bool:
        return _has_case(item) and self.grading.wanted(_case(item))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if not self.config.getoption("collectonly", False):
            cases = [_case(item) for item in session.items if _spec(item)]
            try:
                self.grading.begin(cases)
            except OperatorError as error:
                self._give_up(error)

    def _give_up(self, error: OperatorError) -> NoReturn:
        """Nobody can be graded like this: end pytest, and say why."""
        self.grading.fault = str(error)
        pytest.exit(str(error), returncode=2)

    @hook(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        if _spec(pyfuncitem) is None:
            return None
        try:
            record = self.grading.judge(_case(pyfuncitem), pyfuncitem.obj)
        except OperatorError as error:
            pyfuncitem.user_properties.append((FAULT, str(error)))
            pyfuncitem.session.shouldstop = str(error)
            pytest.fail(str(error), pytrace=False)
        text = json.dumps(record.to_json(), sort_keys=True, default=str)
        pyfuncitem.user_properties.append((PROPERTY, text))
        if record.result.status is not Status.PASS:
            pytest.fail(_words(record), pytrace=False)
        return True

    def pytest_runtest_teardown(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> None:
        """Behind the last check of a stage its evidence goes."""
        if _spec(item) is None:
            return
        case = _case(item)
        then = _case(nextitem) if nextitem is not None and _spec(nextitem) else None
        if then is None or (then.arch, then.stage.id) != (case.arch, case.stage.id):
            self.grading.engine.settle(case.arch, case.stage)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and not self.grading.is_worker:
            for name, value in report.user_properties:
                if name == PROPERTY:
                    self.grading.add(Record.from_json(json.loads(str(value))))
                elif name == FAULT:
                    self.grading.fault = str(value)

    def pytest_sessionfinish(self) -> None:
        self.grading.finish()

    def pytest_unconfigure(self) -> None:
        self.grading.close()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for line in self.grading.summary_lines():
            terminalreporter.write_line(line)

    @hook(optionalhook=True)
    def pytest_configure_node(self, node: WorkerController) -> None:
        node.workerinput["ringlab_seed"] = self.grading.seed_text()

    @hook(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Iterable[str]) -> None:
        """The controller prepares OUT when it hears that there are checks to run."""
        try:
            self.grading.begin_remote(ids)
        except OperatorError as error:
            self._give_up(error)

    @hook(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        from grader.spread import by_stage

        return by_stage(config, log)


def _spec(item: pytest.Item) -> CheckSpec | None:
    found = getattr(getattr(item, "obj", None), MARK, None)
    return found if isinstance(found, CheckSpec) else None


def _has_case(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    return callspec is not None and isinstance(callspec.params.get("case"), Case)


def _case(item: pytest.Item) -> Case:
    found = item.callspec.params["case"]  # type: ignore[attr-defined]
    assert isinstance(found, Case)
    return found


def _words(record: Record) -> str:
    """What plain pytest shows of a check that did not pass."""
    result = record.result
    parts = (
        ("expected", result.expected),
        ("seen", result.seen),
        ("source", result.source),
        ("cause", result.cause),
        ("hint", result.hint),
        ("read", result.read),
    )
    lines = [f"{result.status.value}: {result.title} (0/{result.max_points} points)"]
    return "\n".join(lines + [f"  {name}: {text}" for name, text in parts if text])
