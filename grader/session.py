# SPDX-License-Identifier: MIT
"""A quiet pytest session in this process: runs the checks, prints nothing itself."""

from __future__ import annotations

import importlib
import os
from typing import Any

import pytest

from grader import plugin
from grader.grading import Grading, check_files
from grader.plugin import GRADING, hook
from grader.settings import ROOT

# What prints, writes or costs time without use here.
WITHOUT = (
    "terminal cacheprovider faulthandler junitxml doctest pastebin unittest nose "
    "stepwise logging warnings debugging setuponly setupplan xdist"
).split()


def run_checks(grading: Grading) -> str:
    """Run the checks of the chosen stages.

    Returns what went wrong outside of them, "" if nothing; raises KeyboardInterrupt.
    """
    stages = grading.settings.stages
    files = [str(file) for stage in stages for file in check_files(stage.id)]
    if not files:
        names = ", ".join(stage.id for stage in stages)
        return f"there are no checks for {names}; add grader/checks/test_NN_name.py"
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    arguments = [word for name in WITHOUT for word in ("-p", f"no:{name}")]
    arguments += ["-s", "--assert=plain", f"--rootdir={ROOT}", "-c", os.devnull]
    watch = _Watch()
    given = _Given(grading)
    # By its name pytest would look for the plugin among all packages first.
    pytest.main([*arguments, *files], plugins=[plugin, given, watch])
    if watch.interrupted:
        raise KeyboardInterrupt
    return watch.error


class _Given:
    """Hands the grading run over to the plugin."""

    def __init__(self, grading: Grading) -> None:
        self.grading = grading

    # Before the plugin's own, which would start another run.
    @hook(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[GRADING] = self.grading


class _Watch:
    """Keeps what pytest would have printed: errors of collection and of its own."""

    def __init__(self) -> None:
        self.error = ""
        self.interrupted = False

    def pytest_addoption(self, parser: pytest.Parser) -> None:
        """An option of the absent terminal, without which errors cannot be told."""
        parser.addoption("--verbose", type=int, default=0)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.error:
            lines = [line for line in str(report.longrepr).splitlines() if line.strip()]
            last = lines[-1].removeprefix("E ").strip() if lines else "no reason given"
            self.error = f"{report.nodeid} cannot be read: {last}"

    @hook(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        """The first boots are under way: time to import what the end needs."""
        importlib.import_module("grader.reports.terminal")

    def pytest_internalerror(
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> None:
        self.error = self.error or f"pytest failed: {excinfo.exconly()}"

    def pytest_keyboard_interrupt(
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> None:
        # What stops pytest from inside is a KeyboardInterrupt too, of another type.
        inside = isinstance(excinfo.value, pytest.Session.Interrupted)
        if isinstance(excinfo.value, KeyboardInterrupt) and not inside:
            self.interrupted = True

    def pytest_exception_interact(self, call: pytest.CallInfo[Any]) -> None:
        """A key pressed while a file is read: to pytest 7 that file is broken."""
        if call.excinfo and call.excinfo.errisinstance(KeyboardInterrupt):
            self.interrupted = True

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and report.when != "call":
            self.error = self.error or f"{report.nodeid}: {report.longreprtext[-200:]}"
