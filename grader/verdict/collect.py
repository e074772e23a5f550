# SPDX-License-Identifier: MIT
"""Gathers the outcomes of checks into verdicts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grader import seed as seeds
from grader.course import Stage
from grader.settings import Settings
from grader.verdict import model, write
from grader.verdict.model import BuildMessage, CheckResult, Verdict


@dataclass(frozen=True)
class Record:
    """What one check sends to whoever writes the verdict; plain data both ways."""

    arch: str
    stage: str
    result: CheckResult
    facts: Mapping[str, Any]
    messages: tuple[BuildMessage, ...]
    boots: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        return cls(
            arch=data["arch"],
            stage=data["stage"],
            result=model.check_from_json(data["result"]),
            facts=data["facts"],
            messages=tuple(BuildMessage(**m) for m in data["messages"]),
            boots=tuple(data["boots"]),
        )


@dataclass
class Collector:
    """Takes records in any order; a stage with all its checks gets a verdict."""

    settings: Settings
    records: dict[tuple[str, str], dict[str, Record]] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        mine = self.records.setdefault((record.arch, record.stage), {})
        mine[record.result.id] = record

    def complete(self, arch: str, stage: Stage) -> bool:
        have = self.records.get((arch, stage.id), {})
        wanted = stage.checks_for(arch)
        return bool(wanted) and all(check.id in have for check in wanted)

    def verdicts(
        self, sandbox: str, tools: Mapping[str, str], *, unfinished: bool = False
    ) -> list[Verdict]:
        """The verdicts of all stages that were judged completely.

        unfinished: of those that were begun too, with the checks that were judged.
        """
        return [
            self._verdict(arch, stage, sandbox, tools)
            for arch, stage in self.settings.pairs()
            if self.complete(arch, stage)
            or (unfinished and (arch, stage.id) in self.records)
        ]

    def partial(self) -> list[tuple[str, str]]:
        """Architecture and stage of which some checks were judged, but not all."""
        known = {stage.id: stage for stage in self.settings.course.stages}
        return [(a, s) for a, s in self.records if not self.complete(a, known[s])]

    def _verdict(
        self, arch: str, stage: Stage, sandbox: str, tools: Mapping[str, str]
    ) -> Verdict:
        records = self.records[arch, stage.id]
        wanted = (check.id for check in stage.checks_for(arch))
        mine = [records[check] for check in wanted if check in records]
        results = tuple(record.result for record in mine)
        messages = dict.fromkeys(m for record in mine for m in record.messages)
        boots = dict.fromkeys(boot for record in mine for boot in record.boots)
        folder = write.stage_folder(self.settings.out, arch, stage.id) / write.RUNS
        facts = {record.result.id: record.facts for record in mine}
        return Verdict(
            stage=stage.id,
            title=stage.title,
            arch=arch,
            status=model.overall(results),
            points=sum(result.points for result in results),
            max_points=stage.points(arch),
            seed=seeds.show(self.settings.seed),
            nonce=seeds.nonce(self.settings.seed, arch, stage.id),
            evidence_digest=model.digest(facts),
            sandbox=sandbox,
            command=self.settings.command(arch, stage.id),
            tools=dict(tools),
            logs={
                boot: f"{write.RUNS}/{boot}"
                for boot in boots
                if (folder / boot).is_dir()
            },
            messages=tuple(messages),
            checks=results,
        )
