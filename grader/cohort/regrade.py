# SPDX-License-Identifier: MIT
"""One check judged anew for everybody, after a mend of the grader: before and after.

Everybody is graded again beside what counts (state "candidate"). Of that only the named
check is looked at; accepted, its outcome takes the place of the old one, and every
other check stays as it was.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.cohort.store import CANDIDATE, Result, Store
from grader.cohort.worker import write_all
from grader.verdict.model import CheckResult, Verdict, overall


@dataclass(frozen=True)
class Change:
    """before, after: the check's; result: the candidate, with the verdict that it would
    leave: what counts now, but for that check. old: what counts now. others: ids of
    checks that came out otherwise too, and are left as they were."""

    result: Result
    old: Result
    before: CheckResult
    after: CheckResult
    others: tuple[str, ...]

    @property
    def changed(self) -> bool:
        return self.before.status is not self.after.status


def changes(store: Store, stage: str, check: str) -> list[Change]:
    """One for each result that counts and has a candidate."""
    current = {result.slot: result for result in store.results(stage)}
    found = []
    for candidate in store.results(stage, CANDIDATE):
        old = current.get(candidate.slot)
        if not (old and old.verdict and candidate.verdict):
            continue
        made = _change(old, candidate, check)
        if made:
            found.append(made)
    return found


def _change(old: Result, candidate: Result, check: str) -> Change | None:
    assert old.verdict and candidate.verdict
    then, now = Verdict.from_json(old.verdict), Verdict.from_json(candidate.verdict)
    earlier = {one.id: one for one in then.checks}
    fresh = {one.id: one for one in now.checks}
    if check not in fresh or check not in earlier:
        return None
    kept = tuple(fresh[check] if c.id == check else c for c in then.checks)
    verdict = dataclasses.replace(
        now,
        checks=kept,
        status=overall(kept),
        points=sum(one.points for one in kept),
    )
    result = dataclasses.replace(
        candidate,
        verdict=verdict.to_json(),
        points=verdict.points,
        status=verdict.status.value,
    )
    others = tuple(
        each.id
        for each in now.checks
        if each.id != check and each.id in earlier
        if each.status is not earlier[each.id].status
    )
    return Change(result, old, earlier[check], fresh[check], others)


def accept(store: Store, out: Path, every: Sequence[Change]) -> None:
    """Let them count: reports first, then the store in one transaction."""
    for each in every:
        if each.result.folder and each.result.verdict:
            verdict = Verdict.from_json(each.result.verdict)
            write_all(out / each.result.folder, verdict)
    store.accept([each.result for each in every])
