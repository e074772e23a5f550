# SPDX-License-Identifier: MIT
"""A copy is found however it is renamed; who solved it alone is not suspected."""

from __future__ import annotations

import functools
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from grader.cohort.model import HandedIn
from grader.cohort.results import similarity
from grader.cohort.results.similar import LANGUAGES, Texts, pairs
from grader.cohort.store import Store
from grader.course import Course
from grader.settings import ROOT

pytestmark = pytest.mark.skipif(
    not all(shutil.which(language.tool) for language in LANGUAGES),
    reason="there is no similarity-tester here",
)
STAGE = "03-faults"
WORD = re.compile(r"\b[a-z_][a-z_0-9]*\b")
# What has its name from elsewhere: the language, and the processor.
FIXED = {
    *"if else for while return switch case break static const struct void int".split(),
    *"include course h unsigned char sizeof bits section global extern text".split(),
    *"push pop pusha popa add sub mov call jmp iretd iretq cld dword qword".split(),
    *"eax ebx ecx edx esi edi ebp esp rax rbx rcx rdx rsi rdi rbp rsp".split(),
    *"cs ds es fs gs ss r8 r9 r10 r11 r12 r13 r14 r15".split(),
}
COMMENT = {"asm": re.compile(r";[^\n]*"), "c": re.compile(r"/\*.*?\*/", re.DOTALL)}


@functools.cache
def course() -> Course:
    return Course.load(ROOT)


def texts(place: str, *gaps: str) -> dict[str, str]:
    folder = ROOT / place / STAGE if place in ("solutions", "assignments") else None
    folder = folder or ROOT / "grader/variants" / STAGE / place
    every = gaps or course().stage(STAGE).all_gaps()
    files = {gap: folder / gap for gap in every}
    return {gap: f.read_text("utf-8") for gap, f in files.items() if f.is_file()}


def renamed(text: str, gap: str) -> str:
    """As somebody hands in what is not theirs: other names, comments and layout, where
    the handout leaves them the choice."""
    given = {*WORD.findall(texts("assignments")[gap])}

    def other(found: re.Match[str]) -> str:
        return found[0] if found[0] in FIXED | given else f"my_{found[0][::-1]}"

    code = COMMENT[gap.rpartition(".")[2]].sub("", text)
    lines = [WORD.sub(other, line) for line in code.splitlines()]
    return "".join(f"  {line}\n" for line in lines if line.strip())


def found(everybody: dict[str, Texts], *known: str) -> list[tuple[str, str]]:
    listed, notes = pairs(everybody, texts("assignments"), {*known})
    assert notes == []
    return [(pair.left, pair.right) for pair in listed]


@pytest.mark.parametrize("suffixes", [language.suffixes for language in LANGUAGES])
def test_a_copy_with_other_names_is_found(suffixes: Sequence[str]) -> None:
    mine = {g: t for g, t in texts("solutions").items() if g.endswith(tuple(suffixes))}
    copy = {gap: renamed(text, gap) for gap, text in mine.items()}
    assert not any(text in copy.values() for text in mine.values())
    other = texts("moves-and-tables")
    assert found({"me": mine, "other": other, "copy": copy}) == [("me", "copy")]


def test_a_copy_is_found_in_more_text_of_their_own() -> None:
    mine = texts("solutions", "idt.c", "faults.c") or texts("solutions")
    more = {g: t + texts("trap-gates-cli").get(g, "") for g, t in mine.items()}
    assert found({"more": more, "me": mine}) == [("more", "me")]


def test_of_three_that_share_one_text_every_pair_is_found() -> None:
    mine = texts("solutions")
    assert len(found({"a": mine, "b": mine, "c": mine})) == 3


def test_who_solved_it_alone_is_no_suspect() -> None:
    alone = ("inline-assembly", "moves-and-tables", "trap-gates-cli")
    everybody = {"reference": texts("solutions")}
    assert found({**everybody, **{name: texts(name) for name in alone}}) == []


def test_what_was_handed_out_makes_nobody_alike() -> None:
    handout = texts("assignments")
    assert found({"a": handout, "b": handout}) == []


def test_known_solutions_are_no_suspects_of_each_other() -> None:
    mine = texts("solutions")
    everybody: dict[str, Texts] = {"me": mine, "one": mine, "two": mine}
    assert sorted(found(everybody, "one", "two")) == [("me", "one"), ("me", "two")]


def test_more_than_a_block_are_compared_each_with_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("grader.cohort.results.similar.BLOCK", 2)
    mine, other = texts("solutions"), texts("moves-and-tables")
    everybody: dict[str, Texts] = {
        "a": mine,
        "b": other,
        "c": {},
        "d": other,
        "e": mine,
    }
    assert sorted(found(everybody)) == [("a", "e"), ("b", "d")]


def test_a_text_that_repeats_itself_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.cohort.results.similar.CPU_S", 1)
    long = {"idt.c": "".join(f"a{n} = 1;\n" for n in range(60_000))}
    listed, notes = pairs({"a": long, "b": long}, {}, set())
    assert listed == [] and "gave up" in notes[0]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Two hand in one text, the second of them the reference's."""
    every = []
    for name, title in (("ada", "Ada <b>"), ("bob", "Bob")):
        folder = tmp_path / "submissions" / name / "src-1" / STAGE
        for gap, text in texts("solutions").items():
            (folder / gap).parent.mkdir(parents=True, exist_ok=True)
            (folder / gap).write_text(renamed(text, gap) if name == "ada" else text)
        src = folder.parent.relative_to(tmp_path)
        every.append(HandedIn(name, STAGE, title, str(src), "1"))
    Store.open(tmp_path).hand_in(every)
    return tmp_path


def test_pairs_stand_side_by_side_with_what_was_handed_out_pale(out: Path) -> None:
    (told,) = similarity.compare_all(Store.open(out), course(), STAGE, out)
    assert similarity.write_index(course(), out) == {STAGE: 3}
    index = (out / "similarity.html").read_text("utf-8")
    assert "Ada &lt;b&gt;" in index and "(the reference)" in index
    listed = json.loads((out / "similarity" / STAGE / "pairs.json").read_text())
    for pair in listed["pairs"]:
        assert max(pair["percent"].values()) >= 80 and f'href="{pair["page"]}"' in index
        page = (out / pair["page"]).read_text("utf-8")
        assert ' given"' in page and "Ada <b>" not in page
    assert told == f"3 pairs are alike: {out / 'similarity.html'}"


def test_other_tools_find_a_folder_each_and_the_handout(out: Path) -> None:
    similarity.compare_all(Store.open(out), course(), STAGE, out)
    place = out / "similarity" / STAGE
    for gap in course().stage(STAGE).all_gaps():
        own = out / "submissions/bob/src-1" / STAGE / gap
        assert (place / "submissions/bob" / gap).read_text() == own.read_text()
        handout = ROOT / "assignments" / STAGE / gap
        assert (place / "handout" / gap).read_text() == handout.read_text()


def test_without_the_tool_the_rest_is_written(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    (told,) = similarity.compare_all(Store.open(out), course(), STAGE, out)
    assert "sim_c is missing" in told and not (out / "similarity").exists()
