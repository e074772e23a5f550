# SPDX-License-Identifier: MIT
"""Who resembles whom, by Debian's similarity-tester over what is theirs alone.

sim takes all names for alike, so a renamed copy is a copy. It compares tokens of C;
NASM goes to its lexer of 8086 assembler, in upper case. The lines of the handout are
removed first. The reference and the known right solutions are compared too, but not
with each other.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox import Limits, detect

BLOCK = 50  # sim's time for each file with each grows faster than their square
CPU_S = 60
FOUND = re.compile(r"(\d+)\S* consists for (\d+) % of (\d+)\S* material")

Texts = Mapping[str, str]  # of one submission, by gap file


@dataclass(frozen=True)
class Language:
    """threshold: percent from which on a pair is listed. That of NASM is higher, since
    the CPU leaves less choice there: independent stubs are alike to 40 %."""

    name: str
    tool: str
    suffixes: tuple[str, ...]
    threshold: int

    def prepared(self, text: str) -> str:
        return text.upper() if self.name == "NASM" else text


LANGUAGES = (
    Language("C", "sim_c", (".c", ".h"), 60),
    Language("NASM", "sim_8086", (".asm", ".inc"), 80),
)


@dataclass(frozen=True)
class Pair:
    """left, right: who. percent: by language, how much of one is in the other, the
    larger of both ways. page: relative to OUT; "": there is none."""

    left: str
    right: str
    percent: Mapping[str, int]
    page: str = ""

    @property
    def most(self) -> int:
        return max(self.percent.values())


def pairs(
    everybody: Mapping[str, Texts], handout: Texts, known: set[str]
) -> tuple[list[Pair], list[str]]:
    """Those that resemble each other, most alike first, and what was not compared.

    known: names in `everybody` that are not compared with each other.
    """
    percent: dict[tuple[str, str], dict[str, int]] = {}
    notes: list[str] = []
    for language in LANGUAGES:
        own = {
            name: _own(texts, handout, language) for name, texts in everybody.items()
        }
        names = [name for name, text in own.items() if text.strip()]
        for x, y, number in _compared([own[name] for name in names], language, notes):
            pair = names[min(x, y)], names[max(x, y)]
            if not known.issuperset(pair):
                mine = percent.setdefault(pair, {})
                mine[language.name] = max(number, mine.get(language.name, 0))
    found = [Pair(*names, numbers) for names, numbers in percent.items()]
    return sorted(found, key=lambda pair: (-pair.most, pair.left, pair.right)), notes


def _own(texts: Texts, handout: Texts, language: Language) -> str:
    """What they wrote in that language, on top of what was handed out."""
    own: list[str] = []
    for gap, text in texts.items():
        if gap.endswith(language.suffixes):
            given = given_lines(handout.get(gap, ""))
            own += [line for line in text.splitlines() if line.strip() not in given]
    return language.prepared("".join(f"{line}\n" for line in own))


def given_lines(handout: str) -> set[str]:
    return {line.strip() for line in handout.splitlines()}


def _compared(
    texts: Sequence[str], language: Language, notes: list[str]
) -> Iterator[tuple[int, int, int]]:
    """Numbers of two texts, and how many percent of one are in the other."""
    numbers = range(len(texts))
    blocks = [numbers[at : at + BLOCK] for at in range(0, len(texts), BLOCK)]
    with tempfile.TemporaryDirectory(prefix="ringlab-sim-") as name:
        scratch = Path(name)
        scratch.chmod(0o755)  # who is in the sandbox reads it
        suffix = language.suffixes[0]
        for number, text in enumerate(texts):
            (scratch / f"{number}{suffix}").write_text(text, encoding="utf-8")
        for one in blocks:
            for other in blocks:
                files = [f"{number}{suffix}" for number in one]
                how = ["-a"]  # each with each of this block
                if other is not one:
                    how = ["-S"]  # these with those behind the slash
                    files += ["/", *(f"{number}{suffix}" for number in other)]
                how += ["-e", "-p", "-T", "-t", str(language.threshold)]
                ended = detect().run(
                    [language.tool, *how, *files],
                    cwd=scratch,
                    ro=[scratch],
                    limits=Limits(cpu_s=CPU_S),
                )
                if ended.status:
                    notes.append(f"{language.tool} gave up on {len(files)} files")
                for found in FOUND.finditer(ended.stdout.decode("utf-8", "replace")):
                    yield int(found[1]), int(found[3]), int(found[2])
