# SPDX-License-Identifier: MIT
"""A soak names what differs between repeats, and how."""

from __future__ import annotations

import json
import multiprocessing

import pytest

from grader.corpus import soak
from grader.corpus.soak import IDLE, LOADED, Round, compare


def said(status: str = "pass", digest: str = "d", seen: str = "") -> str:
    checks = [{"id": "gdt-code", "seen": seen}, {"id": "gdt-limit", "seen": ""}]
    return json.dumps({"status": status, "evidence_digest": digest, "checks": checks})


def rounds(*texts: tuple[str, str]) -> list[Round]:
    return [Round("5eed", load, {"01-gdt i386": text}) for load, text in texts]


def test_equal_repeats_are_no_difference() -> None:
    same = [(load, said()) for load in (IDLE, IDLE, LOADED, LOADED)]
    assert compare(rounds(*same), must_pass=True) == []


DIFFERENT = {
    "load-dependent": ((IDLE, said()), (IDLE, said()), (LOADED, said(digest="x"))),
    "random": ((IDLE, said()), (IDLE, said(seen="x")), (LOADED, said())),
    "deterministic": ((IDLE, said("fail")), (LOADED, said("fail"))),
}


@pytest.mark.parametrize("kind", DIFFERENT)
def test_a_difference_is_named_by_its_kind(kind: str) -> None:
    (found,) = compare(rounds(*DIFFERENT[kind]), must_pass=True)
    assert (found.kind, found.pair, found.seed) == (kind, "01-gdt i386", "5eed")


def test_the_checks_that_differ_are_named() -> None:
    (text,) = compare(rounds(*DIFFERENT["random"]), must_pass=True)
    assert text.detail == "gdt-code"
    (digest,) = compare(rounds(*DIFFERENT["load-dependent"]), must_pass=True)
    assert digest.detail == "the evidence digest alone"


def test_students_work_need_not_pass_but_must_not_differ() -> None:
    wrong = rounds((IDLE, said("fail")), (LOADED, said("fail")))
    assert compare(wrong, must_pass=False) == []
    assert compare(rounds(*DIFFERENT["random"]), must_pass=False)


def test_competing_work_ends_with_its_round() -> None:
    with soak._competition():
        assert multiprocessing.active_children()
    assert not multiprocessing.active_children()
