# SPDX-License-Identifier: MIT
"""What a check is written with: @boot, @check, Plan, Case, and how a check fails."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

from grader import seed as seeds
from grader.checks.plan import Plan, Probe
from grader.course import CheckEntry, Stage

if TYPE_CHECKING:
    from grader.build import Image
    from grader.checks.record import Evidence
    from grader.evidence.exhibit import Exhibit
    from grader.machine import Boot, End
    from grader.sandbox import Result

__all__ = ["BootSpec", "Case", "CheckFailed", "Plan", "Probe", "boot", "check"]

MARK = "ringlab_check"
Exhibits = Callable[[], "Sequence[Exhibit]"]


class CheckFailed(Exception):
    """The submission does not do what the check's sentence says."""

    def __init__(
        self,
        *,
        expected: str,
        seen: str,
        cause: str = "",
        hint: str = "",
        read: str = "",
        source: str = "",
        exhibits: Sequence[Exhibit] = (),
    ) -> None:
        super().__init__(f"expected {expected}; seen {seen}")
        self.expected = expected
        self.seen = seen
        self.cause = cause
        self.hint = hint
        self.read = read
        self.source = source
        self.exhibits = tuple(exhibits)


class TaskOpen(Exception):
    """The boot ran into the stub of an open task."""

    def __init__(self, task: str) -> None:
        super().__init__(task)
        self.task = task


@dataclass(frozen=True)
class BootSpec:
    """A boot that checks share: a name, unique in its stage, and how to plan it.

    disc: it is one by GRUB, whose CD is made as soon as there is an image.
    """

    name: str
    make: Callable[[Plan], Boot]
    disc: bool = False

    def __call__(self, plan: Plan) -> Boot:
        return self.make(plan)


@dataclass(frozen=True)
class CheckSpec:
    """What @check says: the manifest's id, the boots it reads, the checks before it."""

    id: str
    boots: tuple[BootSpec, ...]
    needs: tuple[str, ...]


def boot(
    name: str, *, disc: bool = False
) -> Callable[[Callable[[Plan], Boot]], BootSpec]:
    """Make a function that plans a boot into one that checks can name and share."""

    def decorate(make: Callable[[Plan], Boot]) -> BootSpec:
        return BootSpec(name, make, disc)

    return decorate


Test = TypeVar("Test", bound=Callable[..., None])


def check(
    check_id: str, *, boots: Iterable[BootSpec] = (), needs: Iterable[str] = ()
) -> Callable[[Test], Test]:
    """Tie a pytest function to the manifest's check of that id.

    needs: ids of checks that stand before this one in the manifest; if one of them did
    not pass, this one is blocked by it.
    """

    def decorate(function: Test) -> Test:
        setattr(function, MARK, CheckSpec(check_id, tuple(boots), tuple(needs)))
        return function

    return decorate


class Source(Protocol):
    """Where a case gets its boots from."""

    def image(self, arch: str, stage: Stage) -> Image:
        ...

    def evidence(self, arch: str, stage: Stage, spec: BootSpec) -> Evidence:
        ...

    def host(
        self, arch: str, stage: Stage, source: str, names: Sequence[str], data: bytes
    ) -> Result:
        ...


@dataclass
class Case:
    """One check on one architecture: the only thing that a check function is given."""

    entry: CheckEntry
    spec: CheckSpec
    stage: Stage
    arch: str
    seed: int
    source: Source
    facts: dict[str, Any] = field(default_factory=dict)
    laid_open: Exhibits | None = None

    @property
    def id(self) -> str:
        return self.entry.id

    @property
    def nonce(self) -> str:
        """The run's word: 16 hexadecimal digits, the same in every boot of a stage."""
        return seeds.nonce(self.seed, self.arch, self.stage.id)

    @property
    def image(self) -> Image:
        return self.source.image(self.arch, self.stage)

    def rng(self, name: str = "") -> random.Random:
        """Random choices of this check, from the run's seed."""
        return seeds.rng(self.seed, self.arch, self.stage.id, "check", self.id, name)

    def run(self, spec: BootSpec, *, ends: Iterable[End] | None = None) -> Evidence:
        """What the boot left behind; waits for it if need be.

        ends: the ends that the check can judge; by default only that the scenario
        reached its end. Any other end fails the check with its explanation, an open
        task's stub makes it "not implemented".
        """
        from grader.checks.record import unexpected_end
        from grader.machine import End

        if spec not in self.spec.boots:
            raise LookupError(f"check {self.id} does not list the boot {spec.name!r}")
        evidence = self.source.evidence(self.arch, self.stage, spec)
        allowed = (End.DONE,) if ends is None else tuple(ends)
        if evidence.run.end not in allowed:
            raise unexpected_end(evidence)
        return evidence

    def host(self, source: str, names: Sequence[str], data: bytes) -> Result:
        """Run grader/scenarios/host/<source> with these gap files, under sanitizers."""
        from grader.sandbox import exceeded, told

        result = self.source.host(self.arch, self.stage, source, names, data)
        stop = exceeded(result, trusted=False)
        if stop is not None:
            overrun = told(stop, result.limits, "It", program=True)
            self.fail(
                expected="The same file, as a program of the host, ends within bounds.",
                seen=f"{overrun.what}.",
                cause=f"Usually it is {overrun.cause}.",
                hint=f"{overrun.mend[0].upper()}{overrun.mend[1:]}.",
            )
        return result

    def expect(
        self,
        condition: object,
        *,
        expected: str,
        seen: str,
        cause: str = "",
        hint: str = "",
        read: str = "",
        source: str = "",
    ) -> None:
        """Fail the check unless `condition` holds; the texts are for the student.

        expected, seen: a sentence each; source: instruction, function and file:line
        (see Evidence.source_of); read: the SDM title or the section of the sheet.
        """
        if not condition:
            self.fail(
                expected=expected,
                seen=seen,
                cause=cause,
                hint=hint,
                read=read,
                source=source,
            )

    def fail(self, **texts: str) -> NoReturn:
        """Fail the check; takes what `expect` takes."""
        raise CheckFailed(exhibits=self.laid_open() if self.laid_open else (), **texts)

    def lay_open(self, exhibits: Exhibits | None) -> None:
        """What a failure from here on shows, made only then (see checks.exhibits)."""
        self.laid_open = exhibits

    def fact(self, key: str, value: Any) -> None:
        """Record what was judged (JSON values) for the digest; direct boots only."""
        self.facts[key] = value
