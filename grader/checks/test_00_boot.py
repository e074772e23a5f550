# SPDX-License-Identifier: MIT
"""00-boot: the greeting arrives, however the kernel was booted."""

from __future__ import annotations

from grader.checks.api import BootSpec, Case, Plan, boot, check
from grader.evidence.screen import Screen
from grader.machine import Boot, Via

READ = "kernel/include/course/00-boot.h"


def greeting(nonce: str) -> str:
    return f"Hello, ringlab! nonce={nonce}"


@boot("direct")
def direct(plan: Plan) -> Boot:
    return plan.boot("boot-greet", f"nonce={plan.nonce}", screen=True)


@boot("grub", disc=True)
def grub(plan: Plan) -> Boot:
    return plan.boot("boot-greet", f"nonce={plan.nonce}", via=Via.GRUB)


def cause_of(line: str, want: str) -> str:
    """Why the line that comes nearest is not the one asked for."""
    head = greeting("")
    if not line:
        return (
            "boot_greet prints nothing, or not on this device of the console; from the "
            "screen the line may have scrolled away too."
        )
    if line.rstrip() == want:
        return "There is a blank behind the nonce."
    if line.startswith(want):
        return "The line is not ended: what is printed next goes on behind it."
    if want in line:
        return "The greeting is not alone on its line."
    if line.startswith(head):
        return cause_of_nonce(line.removeprefix(head), want.removeprefix(head))
    return cause_of_text(line, want)


def cause_of_text(line: str, want: str) -> str:
    """Where the text first differs."""
    for number, (shown, asked) in enumerate(zip(line, want), 1):
        if shown != asked:
            return f"Character {number} of the line is “{shown}”, not “{asked}”."
    return f"The text ends too early, after {len(line)} characters."


def cause_of_nonce(shown: str, nonce: str) -> str:
    """Why this is not the nonce."""
    if not shown:
        return "The nonce is missing: it is the argument of boot_greet."
    if nonce.startswith(shown):
        return f"The nonce is cut off after {len(shown)} of its {len(nonce)} digits."
    if shown.startswith("0x"):
        return "This is the address of the nonce, not its text."
    if len(shown) < len(nonce) and all(c in "0123456789abcdef-" for c in shown):
        return "This is a number, where the nonce lies in memory, and not its text."
    if not shown.isalnum():
        return "This is other memory: %s takes an argument, and it has to be the nonce."
    return "The nonce is the argument of boot_greet, and differs in each run."


def expect_greeting(case: Case, lines: list[str], where: str) -> None:
    want = greeting(case.nonce)
    near = [line for line in lines if "ello" in line or "nonce" in line]
    case.expect(
        want in lines,
        expected=f"The line “{want}” {where}.",
        seen=f"The nearest line there is “{near[0]}”."
        if near
        else "There is no greeting.",
        cause=cause_of(near[0] if near else "", want),
        hint="Print it with kprintf, the nonce by %s, and end the line with \\n.",
        read=READ,
    )


def expect_on_console(case: Case, spec: BootSpec, how: str) -> None:
    lines = case.run(spec).console.splitlines()
    expect_greeting(case, lines, f"on the serial console, booted {how}")


@check("boot-direct", boots=(direct,))
def test_direct(case: Case) -> None:
    """Booted directly, the kernel prints the greeting with this run's nonce on the
    serial console."""
    expect_on_console(case, direct, "directly")
    case.fact("greeting", greeting(case.nonce))


@check("boot-screen", boots=(direct,))
def test_screen(case: Case) -> None:
    """The same line stands on the VGA screen, read from video memory."""
    evidence = case.run(direct)
    raw = evidence.run.screen.read_bytes() if evidence.run.screen else b""
    lines = [line.rstrip() for line in Screen(raw).lines()]
    expect_greeting(case, lines, "on the screen")


@check("boot-grub", boots=(grub,))
def test_grub(case: Case) -> None:
    """Booted by GRUB from a CD, the kernel greets with this run's nonce."""
    expect_on_console(case, grub, "by GRUB")
