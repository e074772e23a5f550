# SPDX-License-Identifier: MIT
"""The commands of `make debug`, in a real gdb on a real machine, right code or none."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from grader.course import ARCHES, Course
from grader.deliver import chosen, demo
from grader.evidence.descriptors import GateDescriptor, SegmentDescriptor
from grader.evidence.memory import Ram
from grader.evidence.registers import Registers, Table
from grader.evidence.scene import Scene
from grader.settings import ROOT
from grader.tables import ManifestError
from grader.tests.conftest import MANIFEST, write_stage
from kernel.gdb import frames

STAGE = "06-syscalls"
TO_IRET = (
    "python while 'iret' not in gdb.execute('x/i $pc', to_string=True):"
    " gdb.execute('stepi', to_string=True)"
)
REFERENCE = {
    "early ring": "ring",
    "early idt": "idt",
    "early walk": "pagewalk $pc",
    "kernel_main": "continue",
    "trace": "syscalls",
    "task": "task 6.1",
    "syscall_init": "continue",
    "gdt": "gdt",
    "user code": "gdt $cs + 16",
    "tss": "tss",
    "idt": "idt",
    "no more": "delete",  # a machine under load may meet the same one twice
    "enter": "tbreak ring3_enter",
    "ring3_enter": "continue",
    "to iret": TO_IRET,
    "popped": "stack",
    "to entry": "tbreak syscall_entry",
    "syscall_entry": "continue",
    "ring 0": "ring",
    "frame": "stack",
    "gate": "idt 0x80",
    "threads": "threads",
    "behind": "tbreak **(unsigned long *)$sp",
    "result": "continue",
    "ring 3": "ring",
    "to come": "stack",
    "user page": "pagewalk $pc",
    "kernel page": "pagewalk &gdt",
    "trace off": "syscalls off",
    "astray": "set $pc = 0",
    "to report": "tbreak fault_report",
    "fault_report": "continue",
    "trap frame": "stack",
    "help": "help pagewalk",
}
HANDOUT = {
    "kernel_main": "continue",
    "open task": "continue",
    "gdt": "gdt",
    "user code": "gdt 0x1b",
    "tss": "tss",
    "gate": "idt 0x80",
    "frame": "stack",
    "threads": "threads",
    "trace": "syscalls",
    "task": "task 4.2",
    "no task": "task 4.9",
    "no address": "pagewalk no_such_name",
    "no stack": "set $sp = 0",
    "again": "set $pc = kernel_main",
    "triple fault": "continue",
    "lost stack": "stack",
    "ring": "ring",
}


def session(
    arch: str, source: str, commands: Mapping[str, str], folder: Path
) -> dict[str, str]:
    """What gdb says to each command, in one session on a fresh machine."""
    if shutil.which("gdb") is None:
        pytest.skip("gdb is missing; run: ci/setup desk")
    asked = {"stage": STAGE, "arch": arch, "src": str(ROOT / source)}
    settings, arch, stage = chosen(asked)
    image, modules = demo(settings, arch, stage, folder)
    shutil.copyfile(image.symbols, folder / "view.elf")
    machine = [f"qemu-system-{arch}", "-M", "pc", "-m", "32", "-nodefaults"]
    machine += ["-accel", "tcg", "-vga", "std", "-display", "none", "-no-reboot"]
    machine += ["-kernel", str(image.elf)]
    for module in modules:
        (folder / module.name).write_bytes(module.data)
        machine += ["-initrd", str(folder / module.name)]
    words = ["-batch", "-ex", "set width 0", "-ex", "tbreak kernel_main"]
    for label, command in commands.items():
        words += ["-ex", f"echo \\n@{label}\\n", "-ex", command]
    done = subprocess.run(
        ["kernel/gdb/attach", str(folder / "view"), *machine, "--", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    parts = [part.partition("\n") for part in done.stdout.split("\n@")[1:]]
    return {label: text.strip() for label, _, text in parts}


@pytest.fixture(scope="module", params=ARCHES)
def reference(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What gdb says about the reference, from the BIOS to a fault in ring 3."""
    folder = tmp_path_factory.mktemp("reference")
    return session(request.param, "solutions", REFERENCE, folder)


@pytest.fixture(scope="module", params=ARCHES)
def handout(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What gdb says about a kernel in which every task is open."""
    folder = tmp_path_factory.mktemp("handout")
    return session(request.param, "assignments", HANDOUT, folder)


def table(text: str, *columns: int) -> list[tuple[str, ...]]:
    """The rows of a table that a command has printed: these columns of each."""
    rows = [re.split(r"  +", line.strip()) for line in text.splitlines()]
    return [tuple(row[n] for n in columns) for row in rows if len(row) > max(columns)]


def test_before_protected_mode_the_commands_say_so(reference: dict[str, str]) -> None:
    assert "real mode: no rings yet" in reference["early ring"]
    assert "still in real mode" in reference["early idt"]
    assert "Paging is off" in reference["early walk"]
    assert "tracing begins when it is" in reference["trace"]


def test_a_task_of_the_sheet_sets_its_breakpoints(reference: dict[str, str]) -> None:
    assert reference["task"].count("Breakpoint ") == 2
    assert "syscall_init ()" in reference["syscall_init"]
    assert "syscall_entry ()" in reference["syscall_entry"]


def test_the_tables_are_read_where_the_cpu_reads_them(
    reference: dict[str, str],
) -> None:
    assert "TSS (busy)" in reference["gdt"]
    assert ("DPL", "3", "for ring 3") in table(reference["user code"], 0, 2, 3)
    assert "the stack on entry from ring 3" in reference["tss"]
    assert "fault_entry_gp (03-faults/" in reference["idt"]
    assert ("DPL", "3") in table(reference["gate"], 0, 2)
    assert "The handler is syscall_entry (" in reference["gate"]


def test_before_iret_the_frame_is_shown_beside_what_it_should_be(
    reference: dict[str, str],
) -> None:
    words = [name.lstrip("ER") for (name,) in table(reference["popped"], 0)]
    assert words[1:] == ["word", "IP", "CS", "FLAGS", "SP", "SS"]
    assert "the user code selector" in reference["popped"]
    assert "\n!" not in reference["popped"]


def test_a_frame_is_drawn_with_who_pushed_what(reference: dict[str, str]) -> None:
    assert "from ring 3: vector 0x80" in reference["frame"]
    pushed = [(word.lstrip("ER"), who) for word, who in table(reference["frame"], 2, 3)]
    words = ("SS", "SP", "FLAGS", "CS", "IP")
    assert pushed[1:] == [(word, "CPU") for word in words]
    assert "as the TSS says" in reference["frame"]
    fault = reference["trap frame"]
    assert "from ring 3: #PF" in fault
    rows = {word: who for word, who in table(fault, 2, 3)}
    assert (rows["error"], rows["vector"]) == ("CPU", "stub")
    assert re.search("ring 3 (read|fetched an instruction); nothing is mapped", fault)


def test_a_system_call_is_traced_with_its_result(reference: dict[str, str]) -> None:
    assert re.search(r"\[1\] thread_id\(\) from 0x40\w+", reference["syscall_entry"])
    assert "[1] thread_id = 1" in reference["result"]


def test_threads_are_found_without_the_queue(reference: dict[str, str]) -> None:
    rows = table(reference["threads"], 1, 2)
    assert rows == [("id", "state"), ("0", "ready"), ("1*", "running")]


def test_in_ring_3_it_is_shown_where_the_next_interrupt_lands(
    reference: dict[str, str],
) -> None:
    assert "CPL = 0" in reference["ring 0"] and "CPL = 3" in reference["ring 3"]
    assert "The next interrupt would push this" in reference["to come"]
    assert "ring 3 and ring 0" in reference["user page"]
    assert "Ring 3 is kept out by" in reference["kernel page"]


def test_each_command_explains_itself(reference: dict[str, str]) -> None:
    assert reference["help"].startswith("pagewalk ADDR: ")


def test_without_the_student_s_code_each_command_says_what_is_missing(
    handout: dict[str, str],
) -> None:
    assert "An open task was reached" in handout["open task"]
    assert len(table(handout["gdt"], 1)) == 4  # the heading, and the kernel's three
    assert "beyond the GDTR's limit" in handout["user code"]
    assert "`ltr` was not executed" in handout["tss"]
    assert "The handler is unclaimed_128" in handout["gate"]
    assert "No interrupt frame" in handout["frame"]
    assert "none was created yet" in handout["threads"]
    assert "not open for ring 3 yet" in handout["trace"]
    assert "Breakpoint " in handout["task"]
    assert "There is no task 4.9" in handout["no task"]
    assert "no_such_name" in handout["no address"]


def test_after_a_triple_fault_the_machine_is_there_to_be_looked_at(
    handout: dict[str, str],
) -> None:
    assert "a triple fault" in handout["triple fault"]
    assert "`pagewalk 0x0` says why" in handout["lost stack"]
    assert "CPL = 0" in handout["ring"]


CODE, DATA, HANDLER, STACK = 0x8, 0x10, 0x3000, 0x4000
GDT, IDT = 0x1000, 0x2000
STUB = ("eax", "vector")


def stack_of(words: Sequence[int], *, ip: int, vector: int) -> frames.Stack:
    """A stack without paging on i386; the gate of the vector leads to HANDLER."""
    ram = bytearray(0x5000)
    for selector, kind in ((CODE, 0xA), (DATA, 0x2)):
        flat = SegmentDescriptor(limit=0xFFFFF, type=kind, s=1, p=1, db=1, g=1)
        ram[GDT + selector : GDT + selector + 8] = flat.encode()
    gate = GateDescriptor(offset=HANDLER, selector=CODE).encode(wide=False)
    ram[IDT + vector * 8 : IDT + vector * 8 + 8] = gate
    ram[STACK : STACK + 4 * len(words)] = struct.pack(f"<{len(words)}I", *words)
    regs = Registers({"EIP": ip, "ESP": STACK}, {}, Table(GDT, 0x17), Table(IDT, 0x7FF))
    scene = Scene("i386", registers=regs, ram=Ram(bytes(ram)))

    def name(address: int) -> str:
        return (
            "entry" if HANDLER <= address < HANDLER + 16 else "kernel" * (address > 0)
        )

    return frames.Stack(scene, regs, STACK, STUB, name)


CPU_WORDS = (0x3800, CODE, 0x202)


@pytest.mark.parametrize("vector, error", [(0, ()), (13, (0x18,))])
def test_at_a_handler_s_first_instruction_all_words_are_the_cpu_s(
    vector: int, error: tuple[int, ...]
) -> None:
    words = (*error, *CPU_WORDS)
    found = frames.find(stack_of(words, ip=HANDLER, vector=vector))
    assert found is not None and found.vector == vector and found.how
    who = [row.cells[3] for row in frames.draw(found).rows]
    assert who == ["CPU"] * len(words)


def test_a_jump_astray_is_a_frame_like_any_other() -> None:
    found = frames.find(stack_of((0x10, 0, CODE, 0x202), ip=HANDLER, vector=14))
    assert found is not None and found.vector == 14
    words = (0xAAAA, 14, 0x10, 0, CODE, 0x202)
    found = frames.find(stack_of(words, ip=0x3900, vector=14))
    assert found is not None and (found.index, found.stub) == (3, 2)


def test_an_entry_that_pushes_a_second_error_code_is_not_taken_for_a_trap_frame() -> (
    None
):
    words = (0xAAAA, 13, 0, 0x18, *CPU_WORDS)
    found = frames.find(stack_of(words, ip=HANDLER + 8, vector=13))
    assert found is not None and (found.vector, found.stub) == (13, 0)
    rows = [row.cells[1:4] for row in frames.draw(found).rows]
    assert rows[3:5] == [
        ("0x00000018", "error", "CPU"),
        ("0x00000000", "", "stub or function"),
    ]


def test_words_that_no_cpu_pushes_are_no_frame() -> None:
    for wrong in (
        (0x3800, DATA, 0x202),
        (0x3800, CODE, 0x200),
        (0x3800, CODE, 1 << 22),
    ):
        assert frames.find(stack_of(wrong, ip=0x3900, vector=13)) is None


def test_a_breakpoint_is_a_function_of_the_contract(tmp_path: Path) -> None:
    line = 'id = "1.1"\n'
    named = MANIFEST.replace(line, f'{line}breakpoints = ["gdt_encode"]\n')
    write_stage(tmp_path, named)
    stage = Course.load(tmp_path).stage("01-gdt")
    assert stage.tasks[0].breakpoints == ("gdt_encode",)
    assert stage.breakpoints(stage.tasks[1]) == stage.provides
    write_stage(tmp_path, named.replace('["gdt_encode"]\n', '["main"]\n', 1))
    with pytest.raises(ManifestError, match="'main' is not in .contract. provides"):
        Course.load(tmp_path)


def test_make_debug_takes_the_stage_from_the_task() -> None:
    def dry(task: str) -> str:
        command = ["make", "-n", "debug", f"TASK={task}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        return done.stdout + done.stderr

    assert "/04-ring3.iso" in dry("4.2") and "task 4.2" in dry("4.2")
    assert "TASK=99.9 is no task" in dry("99.9")
