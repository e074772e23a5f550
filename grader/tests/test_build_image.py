# SPDX-License-Identifier: MIT
"""Gap files to images: a tiny course of its own, real compilers, real QEMU."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest


from grader.build import BuildError, Image, Message, SubmissionError
from grader import cache
from grader.build import build_image
from grader.build.image import _core_made
from grader.machine import Boot, End, run
from grader.sandbox import Tier, detect

ROOT = Path(__file__).resolve().parents[2]
ARCH = "i386"

LINKER_SCRIPT = """
OUTPUT_FORMAT(elf32-i386)
ENTRY(_start)
SECTIONS
{
    . = 0x100000;
    .text : { *(.multiboot) *(EXCLUDE_FILE(*gap-*.o) .text) }
    .gap.text ALIGN(4096) : { *gap-*.o(.text .text.*) }
    .rodata ALIGN(4096) : { *(EXCLUDE_FILE(*gap-*.o) .rodata .rodata.*) }
    .gap.rodata ALIGN(4096) : { *gap-*.o(.rodata .rodata.*) }
    .data ALIGN(4096) : { *(EXCLUDE_FILE(*gap-*.o) .data) }
    .gap.data ALIGN(4096) : { *gap-*.o(.data .data.*) }
    .bss ALIGN(4096) : { *(EXCLUDE_FILE(*gap-*.o) .bss) }
    .gap.bss ALIGN(4096) : { *gap-*.o(.bss .bss.*) }
    .ksyms ALIGN(4096) : { *(.ksyms) }
    .unwanted : { *(.got .got.plt .igot.plt .iplt .plt) }
    .unwanted.rel : { *(.rel.*) }
    .debug_loc 0 : { *(.debug_loc) }
    .debug_pubnames 0 : { *(.debug_pubnames) }
    .debug_ranges 0 : { *(.debug_ranges) }
    .debug_info 0 : { *(.debug_info) }
    .debug_abbrev 0 : { *(.debug_abbrev) }
    .debug_line 0 : { *(.debug_line) }
    .debug_line_str 0 : { *(.debug_line_str) }
    .debug_str 0 : { *(.debug_str) }
    .debug_aranges 0 : { *(.debug_aranges) }
    .debug_rnglists 0 : { *(.debug_rnglists) }
    .debug_loclists 0 : { *(.debug_loclists) }
    .debug_frame 0 : { *(.debug_frame) }
    .symtab 0 : { *(.symtab) }
    .strtab 0 : { *(.strtab) }
    .shstrtab 0 : { *(.shstrtab) }
    /DISCARD/ : { *(.comment) *(.note .note.*) *(.eh_frame) }
}
"""
CORE = """
bits 32
section .multiboot
    dd 0x1badb002, 0, -0x1badb002
section .text
global _start, say, task_open
extern answer, ksyms:weak, ksyms_count:weak, ksyms_names:weak
_start:
    mov esp, stack
    call answer
    push eax
    call say
    push end
    call say
    mov eax, [ksyms_count]
    mov ebx, ksyms
    mov ecx, ksyms_names
    cli
    hlt
task_open:
    hlt
say:
    mov esi, [esp + 4]
.next:
    lodsb
    test al, al
    jz .done
    mov dx, 0x3f8
    out dx, al
    jmp .next
.done:
    ret
section .rodata
end: db 13, 10, "[ringlab] end of test", 13, 10, 0
section .bss
    resb 4096
stack:
"""
GOOD_C = """#include <tiny.h>
#include <stdint.h>

const char *answer(void)
{
    return half();
}
"""
GOOD_ASM = """bits 32
section .text
global half
half:
    mov eax, text
    ret
section .rodata
text: db "forty-two", 0
"""


@dataclass(frozen=True)
class Stage:
    id: str = "01-tiny"
    order: int = 1
    provides: tuple[str, ...] = ("answer",)
    uses: tuple[str, ...] = ("say",)
    files: tuple[str, ...] = ("answer.c", "i386/half.asm")

    def gaps(self, arch: str) -> tuple[str, ...]:
        return self.files


@dataclass(frozen=True)
class Course:
    root: Path
    stages: tuple[Stage, ...] = (Stage(),)


@dataclass
class Lab:
    """A course in a scratch folder, and a submission that tests may spoil."""

    root: Path
    src: Path
    stage: Stage = field(default_factory=Stage)

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.src / self.stage.id / name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = content.encode() if isinstance(content, str) else content
            path.write_bytes(data)

    def build(self, out: str = "out") -> Image:
        course = Course(self.root, (self.stage,))
        place = self.root / out
        return build_image(course, ARCH, self.stage, self.src, self.src, place)

    def messages(self) -> tuple[Message, ...]:
        with pytest.raises(SubmissionError) as caught:
            self.build()
        return caught.value.messages


@pytest.fixture(name="lab")
def _lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setenv("RINGLAB_CORE", "ready")
    root, build = tmp_path / "course", tmp_path / "course/build/i386"
    arch = root / "kernel/arch/i386"
    for folder in (root / "kernel/include", arch / "include", build):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / "kernel/flags.mk", root / "kernel/flags.mk")
    shutil.copy(ROOT / "kernel/arch/i386/flags.mk", arch / "flags.mk")
    shutil.copy(ROOT / "build/tools.mk", root / "build/tools.mk")
    (arch / "kernel.ld").write_text(LINKER_SCRIPT)
    header = (
        "void say(const char *);\nconst char *answer(void);\nconst char *half(void);\n"
    )
    (root / "kernel/include/tiny.h").write_text(header)
    (build / "core.asm").write_text(CORE)
    nasm = ["nasm", "-f", "elf32"]
    subprocess.run([*nasm, build / "core.asm", "-o", build / "core.o"], check=True)
    (build / "empty.asm").write_text("")
    for part in ("stage", "scenario"):
        (build / part).mkdir()
        empty = build / part / "01-tiny.o"
        subprocess.run([*nasm, build / "empty.asm", "-o", empty], check=True)
    (build / "core.stamp").write_text("one\n")
    lab = Lab(root, tmp_path / "src")
    lab.write({"answer.c": GOOD_C, "i386/half.asm": GOOD_ASM})
    return lab


def test_gap_files_become_an_image_that_boots(lab: Lab, tmp_path: Path) -> None:
    image = lab.build()
    ended = run(Boot("test", image.elf), tmp_path / "run", detect())
    assert ended.end is End.DONE
    assert ended.console.startswith(b"forty-two\r\n")
    assert image.warnings == ()
    files = ("01-tiny/answer.c", "01-tiny/i386/half.asm")
    assert image.gap_files == {"gap-01-tiny.o": files}


def _symbols(elf: Path) -> dict[str, tuple[int, str]]:
    from elftools.elf.elffile import ELFFile

    with open(elf, "rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        if table is None:
            return {}
        return {
            s.name: (s["st_value"], s["st_info"]["bind"]) for s in table.iter_symbols()
        }


def test_only_the_contract_stays_global_and_the_bootable_copy_is_bare(lab: Lab) -> None:
    image = lab.build()
    symbols = _symbols(image.symbols)
    assert symbols["answer"][1] == "STB_GLOBAL"
    assert symbols["half"][1] == "STB_LOCAL"
    assert _symbols(image.elf) == {}
    assert symbols["answer"][0] % 4096 == 0


def test_the_guest_finds_its_own_symbols(lab: Lab, tmp_path: Path) -> None:
    image = lab.build()
    ended = run(Boot("test", image.elf), tmp_path / "run", detect())
    found_in = re.findall(r"(E[ABC]X)=([0-9a-f]+)", ended.registers)
    names = {name: int(value, 16) for name, value in found_in}
    ram = ended.ram.read_bytes()
    symbols, found = _symbols(image.symbols), {}
    for row in range(names["EAX"]):
        at = names["EBX"] + 8 * row
        address = int.from_bytes(ram[at : at + 4], "little")
        name = names["ECX"] + int.from_bytes(ram[at + 4 : at + 8], "little")
        found[ram[name : ram.index(b"\0", name)].decode()] = address
    assert found["answer"] == symbols["answer"][0]
    assert found["half"] == symbols["half"][0]
    assert list(found.values()) == sorted(found.values())


def test_an_unchanged_image_is_not_rebuilt(lab: Lab) -> None:
    first = lab.build()
    best = 1.0
    for _ in range(3):
        began = time.perf_counter()
        second = lab.build("again")
        best = min(best, time.perf_counter() - began)
    assert second.key == first.key
    assert second.elf.read_bytes() == first.elf.read_bytes()
    entries = sorted((lab.root / "build/cache/i386").iterdir())
    assert [e.name.partition("-")[0] for e in entries] == ["gap", "image"]


@pytest.mark.parametrize(
    "path",
    [
        "src/01-tiny/answer.c",
        "course/kernel/include/tiny.h",
        "course/kernel/flags.mk",
        "course/kernel/arch/i386/flags.mk",
        "course/build/i386/core.stamp",
    ],
)
def test_whatever_goes_in_changes_the_key(lab: Lab, tmp_path: Path, path: str) -> None:
    before = lab.build().key
    with open(tmp_path / path, "a") as file:
        file.write("\n")
    assert lab.build().key != before


def test_addresses_lead_to_the_files_as_the_student_knows_them(lab: Lab) -> None:
    image = lab.build()
    symbols = _symbols(image.symbols)
    for name, place in (("answer", "answer.c:6"), ("half", "i386/half.asm:5")):
        argv = ["addr2line", "-e", str(image.symbols), hex(symbols[name][0])]
        said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
        assert os.path.normpath(said.split()[0]) == f"01-tiny/{place}"


def test_two_places_give_the_same_bytes(lab: Lab, tmp_path: Path) -> None:
    if detect().tier is not Tier.A:
        pytest.skip("NASM writes its working folder into the object")
    first = lab.build().symbols.read_bytes()
    shutil.rmtree(lab.root / "build/cache")
    moved = tmp_path / "a gap-year folder" / "course"
    shutil.copytree(lab.root, moved)
    second = Lab(moved, lab.src).build().symbols.read_bytes()
    assert first == second


def test_scratch_folders_do_not_stay(lab: Lab) -> None:
    lab.write({"answer.c": "int answer;\nbroken"})
    lab.messages()
    left = list((lab.root / "build/cache/i386").iterdir())
    assert left == []


def test_a_core_that_does_not_build_is_no_fault_of_the_submission(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RINGLAB_CORE")
    with pytest.raises(BuildError, match="make core"):
        lab.build()
    assert (lab.root, ARCH) not in _core_made


def test_a_link_that_fails_is_no_fault_of_the_submission(lab: Lab) -> None:
    script = lab.root / "kernel/arch/i386/kernel.ld"
    script.write_text(LINKER_SCRIPT.replace(".rodata ALIGN", "ASSERT(0, broken) .r"))
    with pytest.raises(BuildError, match="linking 01-tiny failed"):
        lab.build()


Spoil = Callable[[Path], None]


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def _folder_link(path: Path) -> None:
    stage = path.parent
    stage.rename(stage.with_name("elsewhere"))
    stage.symlink_to("elsewhere")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _huge(path: Path) -> None:
    with open(path, "r+b") as file:
        file.truncate(100 << 20)


@pytest.mark.parametrize(
    ("spoil", "said", "line"),
    [
        (Path.unlink, "the file is missing", 0),
        (_folder, "this is a folder", 0),
        (_link, "this is a symbolic link", 0),
        (_folder_link, "a folder on the way", 0),
        (_pipe, "this is no plain file", 0),
        (_huge, "the file has 104857600 bytes", 0),
        (lambda path: path.write_bytes(b"/* */\n\0"), "a NUL byte", 2),
        (lambda path: path.write_bytes(b"/*\xff*/"), "no UTF-8", 1),
    ],
)
def test_what_is_no_text_file_is_refused(
    lab: Lab, spoil: Spoil, said: str, line: int
) -> None:
    spoil(lab.src / "01-tiny/answer.c")
    first = lab.messages()[0]
    assert first.file == "01-tiny/answer.c"
    assert said in first.text
    assert first.line == line


def test_a_companion_header_can_be_included(lab: Lab) -> None:
    files = ("answer.c", "i386/half.asm", "own.h")
    own = Lab(lab.root, lab.src, Stage(files=files))
    own.write({"own.h": "#define OWN half()\n"})
    own.write({"answer.c": GOOD_C.replace("half()", "OWN") + '#include "own.h"\n'})
    assert own.messages()[0].file == "01-tiny/answer.c"
    own.write({"answer.c": '#include "own.h"\n' + GOOD_C.replace("half()", "OWN")})
    own.build()


def test_scratch_of_a_run_that_was_killed_goes_in_the_end(tmp_path: Path) -> None:
    old, fresh = tmp_path / "scratch-old", tmp_path / "scratch-fresh"
    for folder in (old, fresh, tmp_path / "made"):
        folder.mkdir()
    os.utime(old, (0, 0))
    cache.publish(tmp_path, "entry", tmp_path / "made")
    assert not old.exists() and fresh.exists() and (tmp_path / "entry").exists()
