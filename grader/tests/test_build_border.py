# SPDX-License-Identifier: MIT
"""What a student's gap files may not do, and which file and line is named for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.sandbox import Tier, detect
from grader.tests.test_build_image import GOOD_ASM, GOOD_C, Lab, Stage, _lab

__all__ = ["_lab"]  # the fixture

TAIL = GOOD_C.count("\n") + 1  # the line after GOOD_C


@pytest.mark.parametrize(
    ("added", "line", "said"),
    [
        (
            "void no_such(void); void f(void);\nvoid f(void) { no_such(); }",
            1,
            "no_such",
        ),
        ("int f(void);\nint f(void) { return 1 }", 1, "expected ';'"),
        ("#include <stdio.h>", 0, "stdio.h"),
        ('#include "/etc/passwd"', 0, "passwd"),
        (
            "int x;\n__attribute__((constructor)) static void c(void) { x = 1; }",
            1,
            "constr",
        ),
        ("__thread int t;", 0, "thread-local"),
        ("__attribute__((common)) int common_one;", 0, "common symbol"),
        ('__attribute__((section(".odd"))) int odd;', 0, ".odd"),
        (
            '__attribute__((section(".table.init.x"))) int entry;',
            0,
            "table of the kernel",
        ),
        ('__asm__(".globl abs_one\\n.set abs_one, 0x1234");', 0, "absolute symbol"),
        (
            "static void *r(void) { return 0; }\n"
            'void indirect(void) __attribute__((ifunc("r")));',
            1,
            "indirect function",
        ),
        (
            '__asm__(".section .text.x,\\"axG\\",@progbits,grp,comdat\\n.text");',
            0,
            "COMDAT",
        ),
        ("char huge[1 << 20];", -1, "larger than 512 KiB"),
        ("__attribute__((aligned(65536))) char wide[4];", -1, "aligned"),
        (
            '__asm__(".pushsection .note.x,\\"a\\"\\n.byte 1\\n.popsection");',
            0,
            ".note.x",
        ),
        (
            '__asm__(".pushsection .debug_odd\\n.byte 1\\n.popsection");',
            0,
            ".debug_odd",
        ),
        (
            "int f(unsigned x);\nint f(unsigned x) { return __builtin_popcount(x); }",
            1,
            "__popcountsi2",
        ),
        ('#pragma message "\\033[2J"\n_Static_assert(0, "no");', 1, '"no"'),
        ('__asm__("no_such_instruction");', -1, "no such instruction"),
        ('__asm__(".incbin \\"/etc/passwd\\"");', -1, "passwd"),
    ],
)
def test_crossing_the_border_is_an_error(
    lab: Lab, added: str, line: int, said: str
) -> None:
    if "passwd" in added and detect().tier is not Tier.A:
        pytest.skip("tier C cannot hide files")
    lab.write({"answer.c": GOOD_C + added + "\n"})
    first = lab.messages()[0]
    assert first.file == "01-tiny/answer.c"
    assert said in first.text
    if line >= 0:
        assert first.line == TAIL + line


def test_a_missing_function_is_named(lab: Lab) -> None:
    lab.write({"answer.c": GOOD_C.replace("answer(", "anser(")})
    texts = [message.text for message in lab.messages()]
    assert "task: function answer is missing" in texts


def test_a_weak_or_absolute_contract_function_is_refused(lab: Lab) -> None:
    weak = GOOD_C.replace("const char *a", "__attribute__((weak)) const char *a")
    lab.write({"answer.c": weak})
    assert "answer is weak" in lab.messages()[0].text
    absolute = GOOD_ASM + "global answer\nanswer equ 0x100000\n"
    lab.write({"answer.c": "", "i386/half.asm": absolute})
    first = lab.messages()[0]
    assert "answer is an absolute symbol" in first.text
    assert first.file == "01-tiny/i386/half.asm"


def test_one_function_in_two_files_is_named(lab: Lab) -> None:
    lab.write({"answer.c": GOOD_C + "const char *half(void) { return 0; }\n"})
    (message,) = lab.messages()
    assert message.text == "half is defined in more than one gap file"


def test_a_core_function_that_is_not_in_the_contract_is_refused(lab: Lab) -> None:
    own = Lab(lab.root, lab.src, Stage(uses=()))
    own.write({"answer.c": GOOD_C.replace("return", "say(0);\n    return")})
    (message,) = own.messages()
    assert message.text.startswith("say is used")
    assert message.line == 6


def test_defining_a_core_function_cannot_replace_it(lab: Lab, tmp_path: Path) -> None:
    from grader.machine import Boot, End, run

    lab.write(
        {"answer.c": GOOD_C + "void say(const char *s) { (void)s; for (;;) {} }\n"}
    )
    ended = run(Boot("test", lab.build().elf), tmp_path / "run", detect())
    assert ended.end is End.DONE
    assert ended.console.startswith(b"forty-two")


def test_nasm_messages_name_file_and_line(lab: Lab) -> None:
    lab.write({"i386/half.asm": GOOD_ASM + "mov eax, no_such\n"})
    first = lab.messages()[0]
    assert (first.file, first.line) == ("01-tiny/i386/half.asm", 9)
    assert "no_such" in first.text


def test_a_label_that_is_a_word_of_nasm_is_explained(lab: Lab) -> None:
    lab.write({"i386/half.asm": GOOD_ASM + "common:\n"})
    assert any("cannot be a label" in message.text for message in lab.messages())


@pytest.mark.parametrize("line", ['%include "/etc/passwd"', 'incbin "/etc/passwd"'])
def test_nasm_cannot_read_hidden_files(lab: Lab, line: str) -> None:
    if detect().tier is not Tier.A:
        pytest.skip("tier C cannot hide files")
    lab.write({"i386/half.asm": GOOD_ASM + line + "\n"})
    first = lab.messages()[0]
    assert "passwd" in first.text and "root" not in first.text


def test_one_gap_file_cannot_read_another(lab: Lab) -> None:
    if detect().tier is not Tier.A:
        pytest.skip("tier C cannot hide files")
    lab.write(
        {"answer.c": GOOD_C + '__asm__(".incbin \\"01-tiny/i386/half.asm\\"");\n'}
    )
    assert "half.asm" in lab.messages()[0].text


def test_warnings_come_back_even_from_the_cache(lab: Lab) -> None:
    lab.write({"answer.c": GOOD_C + "static int unused_one;\n"})
    first = lab.build()
    assert [(w.line, w.severity) for w in first.warnings] == [(TAIL, "warning")]
    assert "-Wunused-variable" in first.warnings[0].text
    assert lab.build("again").warnings == first.warnings


def test_control_characters_are_made_visible(lab: Lab) -> None:
    lab.write({"answer.c": GOOD_C + '#error "\x1b[31mfake\u202e"\n'})
    (message,) = [m for m in lab.messages() if m.severity == "error"]
    assert message.text.isprintable()
    assert "\\x1b[31mfake\\u202e" in message.text


def test_a_compile_bomb_ends_and_says_so(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grader.build import compile as compiling
    from grader.sandbox import Limits

    monkeypatch.setattr(compiling, "LIMITS", Limits(cpu_s=1, memory_bytes=1 << 29))
    bomb = "%rep 999999\n%rep 999999\n%assign i 1\n%endrep\n%endrep\n"
    lab.write({"i386/half.asm": GOOD_ASM + bomb})
    assert "compiling takes more than" in lab.messages()[0].text


def test_messages_are_few_and_short(lab: Lab) -> None:
    lab.write({"answer.c": GOOD_C + "int x = y%s;\n" % ("z" * 5000) * 300})
    messages = lab.messages()
    assert len(messages) <= 50
    assert all(len(message.text) <= 1000 for message in messages)


def test_a_file_full_of_errors_is_told_with_its_first_ones(lab: Lab) -> None:
    wrong = "".join(f"int wrong{n}(void) {{ return none{n}; }}\n" for n in range(40))
    lab.write({"answer.c": GOOD_C + wrong})
    texts = [m.text for m in lab.messages() if m.severity == "error"]
    assert "none0" in texts[0] and len(texts) > 20


def test_no_message_speaks_in_the_name_of_another_file(lab: Lab) -> None:
    forged = '#line 7 "/etc/passwd"\n#error one\n#line 7 "../grader/x.c"\n#error two\n'
    lab.write({"answer.c": GOOD_C + forged})
    told = [message for message in lab.messages() if "#error" in message.text]
    assert [(m.file, m.line) for m in told] == 2 * [("01-tiny/answer.c", 0)]
