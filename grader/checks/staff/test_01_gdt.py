# SPDX-License-Identifier: MIT
"""01-gdt: what the published numbers would let pass."""

from __future__ import annotations

from grader.checks import support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.gdt import expect_gdtr
from grader.machine import Boot


@boot("reload-between")
def between_boot(plan: Plan) -> Boot:
    # The stage itself asks for GDT_INDEX_TSS slots, the published check for all.
    values = support.of(plan)
    few, many = values["GDT_INDEX_TSS"] + 1, values["GDT_SLOTS"]
    slots = plan.note("slots", plan.rng().randrange(few, many))
    return plan.boot("gdt-reload", *support.hexadecimal(slots=slots))


@check("gdt-limit-between", boots=(between_boot,), needs=("gdt-limit",))
def test_limit_between(case: Case) -> None:
    """GDTR covers as many slots as are asked for, also for numbers that no published
    check asks for."""
    evidence = case.run(between_boot)
    expect_gdtr(case, evidence, evidence.notes["slots"])
    case.fact("slots", evidence.notes["slots"])
