# SPDX-License-Identifier: MIT
"""The command `task`: the breakpoints that help with a task of a sheet."""

from __future__ import annotations

import gdb

from grader.course import Course
from grader.errors import OperatorError
from kernel.gdb.machine import ROOT, Command


class Task(Command):
    """task [ID]: break where the work of a task begins; without ID, list the tasks.

    Which functions these are stands in the manifest of the stage (assignment.toml, a
    task's `breakpoints`); a task that names none has those of the whole contract."""

    name = "task"

    def run(self, argument: str) -> None:
        try:
            course = Course.load(ROOT)
        except OperatorError as error:
            raise gdb.GdbError(str(error)) from error
        places = {
            t.id: stage.breakpoints(t) for stage in course.stages for t in stage.tasks
        }
        titles = {t.id: t.title for stage in course.stages for t in stage.tasks}
        if not argument:
            for name, title in titles.items():
                print(f"{name}  {title}: {' '.join(places[name])}")
            return
        if argument not in places:
            raise gdb.GdbError(f"There is no task {argument}: `task` lists them.")
        print(f"Task {argument}, {titles[argument]}:")
        for name in places[argument]:
            _break(name)


def _break(name: str) -> None:
    """Break at a function; of assembly, at its first instruction."""
    place = gdb.lookup_global_symbol(name)
    try:
        at = int(gdb.parse_and_eval(f"(unsigned long) &'{name}'"))
    except gdb.error:
        print(f"{name} is not in this kernel: is it one of an earlier stage (A=…)?")
        return
    # gdb takes the first pushes of a function without a type for its prologue.
    gdb.Breakpoint(name if place is not None else f"*{at:#x}")


def load() -> None:
    Task()
