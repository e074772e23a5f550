# SPDX-License-Identifier: MIT
"""What students hand in, from the gap file to the words on the terminal."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from grader.course import Course
from grader.handouts import derive
from grader.settings import ROOT
from grader.tests.conftest import Grader
from grader.tests.test_verdict import SCHEMA

SOLUTIONS = ROOT / "solutions"
HEAD = """\
#include <console.h>
#include <course/00-boot.h>
#include <task.h>
"""
LINE = len(HEAD.splitlines())

Submit = Callable[..., tuple[Any, str]]


@pytest.fixture
def submit(run_grader: Grader, tmp_path: Path) -> Submit:
    """Grade `files` (path to text) over the solutions: the verdict, and what was said.

    The run must end as one that graded, and not with full points.
    """

    def run(stage: str, files: dict[str, str], *words: str) -> tuple[Any, str]:
        src = tmp_path / "src"
        if not src.exists():
            shutil.copytree(SOLUTIONS / stage, src / stage)
        for path, text in files.items():
            (src / stage / path).write_text(text, encoding="utf-8")
        chosen = [f"--stage={stage}", "--arch=i386", f"--prior={SOLUTIONS}"]
        done = run_grader("grade", *chosen, f"--src={src}", *words)
        assert done.returncode == 1, done.stdout + done.stderr
        assert done.stderr == ""
        file = tmp_path / "out" / "i386" / stage / "verdict.json"
        verdict = json.loads(file.read_text())
        jsonschema.validate(verdict, SCHEMA)
        summary = json.loads((tmp_path / "out" / "summary.json").read_text())
        assert summary["exit_status"] == 1
        assert summary["points"] == verdict["points"] < verdict["max_points"]
        return verdict, done.stdout

    return run


def greet(body: str, before: str = "") -> dict[str, str]:
    """The gap file of 00-boot with a body of its own, that starts at line LINE + 3."""
    text = f"{HEAD}void boot_greet(const char *nonce)\n{{\n{body}}}\n{before}"
    return {"greet.c": text}


SAY = '    kprintf("%s\\n", nonce);\n'
FAULT_LOOP = """
    extern const char again[];
    struct { unsigned short limit; unsigned base; } __attribute__((packed)) at;
    unsigned cs;
    __asm__ volatile("mov %%cs, %0" : "=r"(cs));
    gates[12] = cs << 16 | ((unsigned)again & 0xffff);
    gates[13] = ((unsigned)again & 0xffff0000) | 0x8e00;
    at.limit = sizeof(gates) - 1;
    at.base = (unsigned)gates;
    __asm__ volatile("lidt %0\\n\\tud2\\nagain: iret" : : "m"(at));
"""
ENDS = {
    "a triple fault": (
        SAY + "    static const char none[6];\n"
        '    __asm__ volatile("lidt %0\\n\\tud2" : : "m"(none));\n',
        ("triple fault", "`ud2`", "lies beyond the IDT"),
    ),
    "a hang with interrupts off": (
        SAY + '    __asm__ volatile("cli\\n\\thlt");\n',
        ("`hlt` with interrupts off", "interrupts off (IF=0), halted"),
    ),
    "a busy hang": (SAY + "    for (;;) {\n    }\n", ("an endless loop", "`jmp ")),
    "a fault loop": (
        "    static unsigned gates[64];\n" + SAY + FAULT_LOOP,
        ("#UD invalid opcode (0x06) repeats for ever", "`ud2`"),
    ),
    "a silent boot that halts": (
        '    (void)nonce;\n    __asm__ volatile("cli\\n\\thlt");\n',
        ("boot was silent: nothing at all was printed", "`hlt` with interrupts off"),
    ),
    "a silent boot that runs on": (
        "    (void)nonce;\n    for (;;) {\n    }\n",
        ("boot was silent: nothing at all was printed", "an endless loop"),
    ),
    "a selector of the LDT, where a descriptor happens to lie": (
        SAY + "    *(volatile unsigned long long *)0x7c00 = 0xcf92000000ffff;\n"
        '    __asm__ volatile("mov %0, %%fs" : : "r"(0x7c04));\n',
        ("the selector 0x7c04", "sends it to the LDT", "#GP"),
    ),
    "endless output": (
        "    for (;;) {\n        kprintf(nonce);\n    }\n",
        ("printed without end",),
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_each_abnormal_end_is_named_and_placed(submit: Submit, end: str) -> None:
    body, words = ENDS[end]
    verdict, said = submit("00-boot", greet(body))
    assert (verdict["status"], verdict["points"]) == ("fail", 0)
    flat = " ".join(said.split())
    for word in words:
        assert word in flat
    for check in verdict["checks"]:
        text = f"{check['seen']} {check['cause']}"
        assert all(word in text for word in words), check
        assert str(ROOT) not in " ".join(str(value) for value in check.values())
        if "silent" not in end:
            assert "was silent" not in text
        if end != "endless output":  # that one is met anywhere below kprintf
            assert "(00-boot/greet.c:" in check["source"]


def test_what_a_kernel_prints_about_itself_changes_nothing(submit: Submit) -> None:
    forged = (
        r"\033[2J\033[1;1H\033]0;owned\007[ringlab] end of demo\n"
        r"[ringlab] verdict: pass\nTotal: 100/100\n"
    )
    body = f'    kprintf("{forged}%s\\n", nonce);\n    __asm__("cli\\n\\thlt");\n'
    verdict, said = submit("00-boot", greet(body))
    assert (verdict["status"], verdict["points"]) == ("fail", 0)
    assert "0/10 points" in said
    assert not [c for c in said if c != "\n" and not c.isprintable()]
    texts = [text for check in verdict["checks"] for text in check.values()]
    assert not [t for t in texts if "\x1b" in str(t) or "\x07" in str(t)]


def test_what_the_border_refuses_is_told_at_its_line(submit: Submit) -> None:
    before = """\
__attribute__((section(".init"))) int hooked;
__attribute__((constructor)) static void early(void)
{
}
int serial_write(int c);
int peek(void)
{
    return serial_write(1);
}
"""
    verdict, said = submit("00-boot", greet(SAY, before))
    assert verdict["status"] == "build error"
    errors = [m for m in verdict["messages"] if m["severity"] == "error"]
    told = {m["line"]: m["text"] for m in errors if m["file"] == "00-boot/greet.c"}
    first = LINE + 5
    assert any("serial_write" in text for text in told.values())
    assert any(".init" in text for text in told.values())
    assert f"00-boot/greet.c:{first + 7}" in said and "serial_write" in said


def test_a_function_that_is_missing_is_named(submit: Submit) -> None:
    verdict, said = submit("00-boot", {"greet.c": HEAD})
    assert verdict["status"] == "build error"
    assert "boot_greet" in said


def test_a_pipe_in_place_of_a_gap_file_does_not_block(
    submit: Submit, tmp_path: Path
) -> None:
    shutil.copytree(SOLUTIONS / "00-boot", tmp_path / "src" / "00-boot")
    gap = tmp_path / "src" / "00-boot" / "greet.c"
    gap.unlink()
    os.mkfifo(gap)
    verdict, said = submit("00-boot", {})
    assert verdict["status"] == "build error"
    assert "00-boot/greet.c" in said


def test_a_machine_that_gives_up_is_the_submission_s_fault(
    submit: Submit, tmp_path: Path
) -> None:
    prior = tmp_path / "prior"
    shutil.copytree(SOLUTIONS, prior)
    load = prior / "02-tss" / "i386" / "tss_load.asm"
    lines = load.read_text().splitlines(keepends=True)
    without = [line for line in lines if line.split()[:1] != ["ltr"]]
    assert len(without) == len(lines) - 1
    load.write_text("".join(without))
    verdict, said = submit("04-ring3", {}, f"--prior={prior}")
    assert verdict["status"] == "fail"
    assert "QEMU gave up" in said and "ltr" in said


# What claims that the CPU was in ring 3, in the order of the manifest.
RING3 = ("ring3-enter", "ring3-interrupts", "ring3-privileged", "ring3-ports")

JUMP = """\
bits 32
section .text
global ring3_enter
ring3_enter:
    mov ecx, [esp + 4]
    mov esp, [esp + 8]
    jmp ecx
global ring3_run
ring3_run:
    jmp ring3_enter
global ring3_return
ring3_return:
    ret
"""


def test_a_jump_in_place_of_iret_is_refused(submit: Submit) -> None:
    verdict, said = submit("04-ring3", {"i386/ring3.asm": JUMP})
    checks = {check["id"]: check for check in verdict["checks"]}
    assert all(checks[name]["points"] == 0 for name in RING3)
    assert checks["ring3-enter"]["status"] == "fail"
    assert "CPL 0" in checks["ring3-enter"]["seen"] + checks["ring3-enter"]["cause"]


CHEAT = """\
#include <console.h>
#include <course/04-ring3.h>
#include <task.h>

#define CLAIM(text) kprintf("[ringlab] " text "\\n")

int user_map(uintptr_t va, uintptr_t frame_pa, unsigned flags)
{
    CLAIM("mapped, user, pass");
    return va == frame_pa && flags ? -1 : 0;
}

__attribute__((noreturn)) void ring3_enter(uintptr_t entry, uintptr_t stack)
{
    CLAIM("CPL 3 at the probe, #GP(0) at in, out, cli, hlt, mov cr3, lgdt");
    CLAIM("end of run");
    (void)entry;
    (void)stack;
    for (;;) {
        __asm__ volatile("cli\\n\\thlt");
    }
}

unsigned ring3_run(uintptr_t entry, uintptr_t stack)
{
    CLAIM("65536 ports closed, total: 37/37");
    return entry == stack ? 6 : 13;
}

void ring3_return(unsigned vector)
{
    CLAIM("returned");
    (void)vector;
}
"""


def test_a_kernel_that_only_prints_gets_nothing_for_it(submit: Submit) -> None:
    empty = "bits 32\n"
    verdict, said = submit("04-ring3", {"user_map.c": CHEAT, "i386/ring3.asm": empty})
    assert (verdict["status"], verdict["points"]) == ("fail", 0), said


COURSE = Course.load(ROOT)


@pytest.mark.parametrize("arch", COURSE.arches)
def test_a_handout_scores_nothing_and_every_check_names_an_open_task(
    run_grader: Grader, tmp_path: Path, arch: str
) -> None:
    for path, text in derive(COURSE).items():
        handout = tmp_path / path
        handout.parent.mkdir(parents=True, exist_ok=True)
        handout.write_text(text, encoding="utf-8")
    folders = [f"--src={tmp_path}", f"--prior={SOLUTIONS}"]  # a repository's root
    done = run_grader("grade", f"--arch={arch}", *folders)
    assert done.returncode == 1, done.stdout + done.stderr
    wrong = []
    offered = [stage.id for stage in COURSE.stages if arch in stage.arches]
    judged = [file.parent.name for file in (tmp_path / "out" / arch).glob("*/v*.json")]
    assert sorted(judged) == offered
    for file in sorted((tmp_path / "out").rglob("verdict.json")):
        verdict = json.loads(file.read_text())
        for check in verdict["checks"]:
            task = verdict["stage"][:2].lstrip("0") or "0"
            named = f"Task {task}." in check["seen"]
            if check["status"] != "not implemented" or check["points"] or not named:
                wrong.append((check["id"], check["status"], check["seen"]))
    assert not wrong
    assert json.loads((tmp_path / "out/summary.json").read_text())["points"] == 0
