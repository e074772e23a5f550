# SPDX-License-Identifier: MIT
"""Editors get flags, tasks and a debugger that are those of make and the grader."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.build.model import Message
from grader.course import ARCHES, Course
from grader.deliver import print_messages
from grader.editor import DATABASE, commands
from grader.reports import terminal
from grader.publish.dates import Dates
from grader.settings import ROOT, Settings, resolve
from grader.verdict.model import BuildMessage, Status, Verdict

VSCODE = ROOT / ".vscode"
# What a published branch has: the student's verbs.
RULES = ("Makefile", "kernel/kernel.mk", "grader/grader.mk", "grader/desk.mk")
Json = Any


def load(name: str) -> Json:
    return json.loads((VSCODE / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def course() -> Course:
    return Course.load(ROOT)


@pytest.fixture(scope="module")
def tasks() -> Mapping[str, Json]:
    return {task["label"]: task for task in load("tasks.json")["tasks"]}


@pytest.fixture(scope="module")
def entries(course: Course) -> Mapping[str, list[str]]:
    """The words of each file's command, without its last ones, `-c FILE`."""
    found = {}
    for entry in commands(course, "x86_64"):
        *words, compile_only, file = entry["arguments"]
        assert (compile_only, file) == ("-c", entry["file"])
        assert entry["directory"] == str(ROOT) and file not in found
        found[file] = words
    return found


def listed(course: Course) -> Iterator[str]:
    """What make lists as the core, and every manifest as gaps in C."""
    for name in re.findall(r"^CORE \+= (\S+\.c)#", core := rules(), re.MULTILINE):
        yield f"kernel/{name}"
    for name in re.findall(r"^CORE_ARCH \+= (\S+\.c)#", core, re.MULTILINE):
        yield from (f"kernel/arch/{arch}/{name}" for arch in ARCHES)
    for stage in course.stages:
        for arch in stage.arches:
            names = (gap for gap in stage.gaps(arch) if not gap.endswith(".asm"))
            yield from (f"assignments/{stage.id}/{name}" for name in names)


def rules() -> str:
    return "\n".join((ROOT / name).read_text("utf-8") for name in RULES)


def test_every_file_that_is_compiled_has_its_flags(
    course: Course, entries: Mapping[str, list[str]]
) -> None:
    wanted = set(listed(course))
    assert len(wanted) > 40 and wanted <= set(entries)
    assert {"user/programs/editor.c", "grader/scenarios/common.c"} <= set(entries)
    assert not any(file.endswith(".asm") for file in entries)


def test_the_flags_are_those_of_the_build(entries: Mapping[str, list[str]]) -> None:
    for arch, file in (("x86_64", "core/main.c"), ("i386", "arch/i386/idt.c")):
        made = (ROOT / "build" / arch / "flags/cc").read_text("utf-8").split()
        mine = entries[f"kernel/{file}"]
        assert mine == [word for word in made if word != "-Werror"][: len(mine)]
    gap = entries["assignments/02-tss/i386/tss.c"]
    assert {"-m32", "-nostdinc", "-Iassignments/02-tss"} <= set(gap)


def test_every_entry_compiles(entries: Mapping[str, list[str]]) -> None:
    groups = defaultdict(list)
    for file, words in entries.items():
        language = ["-x", "c"] if file.endswith(".h") else []
        groups[*words, *language].append(file)
    for key, files in groups.items():
        done = subprocess.run(
            [*key, "-w", "-fsyntax-only", *files],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("clangd") is None, reason="clangd is not installed")
@pytest.mark.parametrize(
    "file", ["kernel/arch/x86_64/paging.c", "assignments/06-syscalls/i386/fast.c"]
)
def test_clangd_finds_every_header(
    file: str, entries: Mapping[str, list[str]], tmp_path: Path
) -> None:
    entry = {"directory": str(ROOT), "file": file}
    words = [*entries[file], "-c", file]
    (tmp_path / DATABASE.name).write_text(json.dumps([{**entry, "arguments": words}]))
    command = ["clangd", f"--check={file}", f"--compile-commands-dir={tmp_path}"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_tasks_use_verbs_that_students_have(tasks: Mapping[str, Json]) -> None:
    verbs = set(re.findall(r"^([a-z-]+):.* ## ", rules(), re.MULTILINE))
    for label, task in tasks.items():
        assert task["command"] == "make" and task["args"][0] in verbs, label
    assert {"run", "debug", "grade", "explain"} <= {
        t["args"][0] for t in tasks.values()
    }


def test_what_a_task_asks_for_can_be_chosen(course: Course) -> None:
    data = load("tasks.json")
    options = {one["id"]: one["options"] for one in data["inputs"]}
    dates = Dates.load(course)
    assert options == {
        "stage": [stage.id for stage in course.stages if not dates.draft(stage)],
        "arch": [*course.arches],
    }
    used = set(re.findall(r"\$\{input:(\w+)\}", json.dumps(data)))
    assert used == set(options)


def test_the_debugger_waits_for_the_machine_that_its_task_starts(
    tasks: Mapping[str, Json],
) -> None:
    (launch,) = load("launch.json")["configurations"]
    task = tasks[launch["preLaunchTask"]]
    server = task["options"]["env"]["GDBSERVER"]
    assert server == f"tcp:{launch['miDebuggerServerAddress']}"
    (view,) = (word for word in task["args"] if word.startswith("VIEW="))
    program = launch["program"].removeprefix("${workspaceFolder}/")
    assert f"VIEW={program}" == f"{view}.elf"
    ready = task["problemMatcher"]["background"]["endsPattern"].removeprefix("^")
    assert task["isBackground"]
    assert f'echo "{ready}' in (ROOT / "kernel/gdb/attach").read_text("utf-8")
    for text in re.findall(r"source \$\{workspaceFolder\}/(\S+)\"", json.dumps(launch)):
        assert (ROOT / text).is_file()


GAP = "00-boot/greet.c"
OUTPUTS = [
    Message(GAP, 10, 5, "error", "expected ';'", "00-boot"),
    Message(GAP, 12, 0, "warning", "unused [-Wunused]", "00-boot"),
    Message("kernel/include/task.h", 3, 1, "error", "odd", "00-boot"),
]


@pytest.fixture
def settings(course: Course, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(ROOT)
    return resolve(course, stages="00-boot", arches="i386", src="assignments")


def printed_by_build(settings: Settings, capsys: pytest.CaptureFixture[str]) -> str:
    print_messages(settings, settings.stages[0], OUTPUTS)
    return capsys.readouterr().err


def printed_by_grade(settings: Settings) -> str:
    messages = tuple(BuildMessage(**vars(message)) for message in OUTPUTS)
    verdict = Verdict(
        stage="00-boot",
        title="",
        arch="i386",
        status=Status.BUILD_ERROR,
        points=0,
        max_points=1,
        seed="",
        nonce="",
        evidence_digest="",
        sandbox="",
        command="",
        tools={},
        logs={},
        messages=messages,
        checks=(),
    )
    out = io.StringIO()
    terminal.report([verdict], "", terminal.console(out), settings.located)
    return out.getvalue()


def test_an_error_is_found_at_its_place(
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    tasks: Mapping[str, Json],
) -> None:
    matchers = [t["problemMatcher"] for t in tasks.values() if t["problemMatcher"]]
    assert len(matchers) >= 5
    assert len({json.dumps(matcher["pattern"]) for matcher in matchers}) == 1
    pattern = matchers[0]["pattern"]
    for text in (printed_by_build(settings, capsys), printed_by_grade(settings)):
        found = [re.match(pattern["regexp"], line) for line in text.splitlines()]
        hits = {hit[pattern["file"]]: hit for hit in found if hit}
        assert set(hits) == {f"assignments/{GAP}", "kernel/include/task.h"}
        assert all((ROOT / file).is_file() for file in hits)
        places = [
            (hit[pattern["line"]], hit[pattern["column"]], hit[pattern["severity"]])
            for hit in found
            if hit
        ]
        assert ("10", "5", "error") in places and ("12", None, "warning") in places


def test_students_get_what_editors_read() -> None:
    names = sorted(file.name for file in VSCODE.iterdir())
    assert {"tasks.json", "launch.json", "extensions.json"} <= set(names)
    assert all(isinstance(load(name), dict) for name in names)
    files = [*(f".vscode/{name}" for name in names), ".editorconfig"]
    files += ["grader/editor.py", "grader/explain.py"]
    done = subprocess.run(
        ["git", "check-attr", "export-ignore", "--", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count(": unspecified") == len(files)
