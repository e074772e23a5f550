# SPDX-License-Identifier: MIT
"""The random scripts of 05-threads can be played to their end, whoever is next."""

from __future__ import annotations

import random

import pytest

from grader.checks.script import CALLS, IDLE, THREADS, Script


@pytest.mark.parametrize("blocks", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_every_call_comes_back(seed: int, blocks: bool) -> None:
    script = Script(random.Random(seed), blocks=blocks)
    made = {(t, n) for t, row in enumerate(script.calls) for n in range(len(row))}
    came = [step for step in script.steps if step[2]]
    assert {step[:2] for step in came} == made
    assert len(script.steps) == 2 * len(came) == 2 * len(made)
    assert script.steps[0] == (IDLE, 0, False)
    assert script.steps[-1][0] == IDLE


@pytest.mark.parametrize("blocks", [False, True])
def test_the_module_has_a_row_with_an_end_for_each_thread(blocks: bool) -> None:
    script = Script(random.Random(1), blocks=blocks)
    assert len(script.data()) == THREADS * CALLS
    assert max(map(len, script.calls)) < CALLS


def test_two_threads_leave_no_choice_who_is_next() -> None:
    steps = Script(random.Random(2), blocks=True).steps
    assert {thread for thread, _, _ in steps} == {IDLE, 1, 2}
