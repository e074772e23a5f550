# SPDX-License-Identifier: MIT
"""06-syscalls: the user's stubs, compiled in two ways, and the demo's line editor."""

from __future__ import annotations

import re

from grader.checks import support
from grader.checks.api import BootSpec, Case, Plan, boot, check
from grader.checks.record import Evidence, unexpected_end
from grader.checks.syscalls import (
    ARGUMENTS,
    HEADER,
    STUB_AGAIN,
    STUB_LOOK,
    STUB_NOTE,
    STUB_STORE,
    common_modules,
    gates_taken,
    hexadecimal,
    notes_of,
    returned,
    traced,
)
from grader.machine import Boot, End, Limits, Module, Step, Via

STUBS = "06-syscalls/<arch>/stubs.h"
READ_ASM = (
    'The GCC manual, "Extended Asm": Clobbers and Scratch Registers, Volatile; '
    '"Specifying Registers for Local Variables"'
)
SECOND = 0x100000  # from the first program to the second
PROGRAM_BYTES = 0x8000
ANY = None
ONCE, UNUSED = "every stub once", "calls whose results nobody uses"
Expected = tuple[str, int, tuple[int | None, ...], int | None]


@boot("stubs")
def stubs(plan: Plan) -> Boot:
    """user/probes/stubs.c, compiled with -O0 and with -O2, as two threads."""
    base = support.of(plan)["USER_PROGRAM_BASE"]
    word = 8 * support.word_bytes(plan.arch)
    seed = plan.note("seed", plan.rng("stubs").getrandbits(word - 4))
    args = f"{seed:x} {STUB_NOTE:x}"
    modules = tuple(
        Module(
            name,
            plan.program("probes/stubs.c", base=base + n * SECOND, optimise=how),
            args,
        )
        for n, (name, how) in enumerate((("plain", "-O0"), ("optimised", "-O2")))
    )
    return plan.boot(
        "syscalls-programs",
        *support.hexadecimal(ticks=400),
        modules=modules + common_modules(plan),
        **traced(plan),
    )


def story(evidence: Evidence) -> list[Expected]:
    """What user/probes/stubs.c does: each call with the arguments that it must have.

    An entry: which part, the call's number, its first arguments (None: an address), and
    the word that the kernel must find in memory.
    """
    seed = evidence.notes["seed"]
    mask = (1 << 8 * support.word_bytes(evidence.arch)) - 1
    calls: list[Expected] = []

    def add(
        part: str, number: int, *arguments: int | None, word: int | None = None
    ) -> None:
        wrapped = tuple(a if a is None else a & mask for a in arguments)
        calls.append((part, number, wrapped, word))

    def last() -> int:
        return returned(evidence, len(calls) - 1)

    part = ONCE
    s, note = seed, STUB_NOTE
    add(part, note)
    add(part, note, last())
    add(part, note, last(), s + 1)
    add(part, note, last(), s + 2, s + 3)
    add(part, note, last(), s + 4, s + 5, s + 6)
    add(part, note, last(), s + 7, s + 8, s + 9, s + 10)
    add(part, note, last())
    part, s = UNUSED, seed + 0x1000
    for _ in range(3):
        add(part, note, s)
    add(part, note)
    add(part, note)
    part, s = "values in registers", seed + 0x2000
    a, b, c, d, e = (s + n for n in range(5))
    for _ in range(4):
        for count in range(6):
            add(part, note, *(e, d, c, b, a)[5 - count :])
        a, b, c, d, e = a + b, b + c, c + d, d + e, e + 1
    add(part, note, a, b, c, d, e)
    part, s = "memory that the other side changes", seed + 0x3000
    add(part, STUB_LOOK, ANY, word=s)
    for count in range(1, 6):
        add(part, STUB_LOOK, ANY, *range(1, count), word=s + count)
        add(part, STUB_STORE, ANY, *range(1, count))
        add(part, note, last() ^ 1)
    add(part, STUB_AGAIN, word=s + 6)
    add(part, note, last() ^ 1)
    return calls


CAUSES = {
    ONCE: (
        "An argument is in the wrong register, perhaps since the stub changes one that "
        "it does not list; or the result is not the one that the kernel left.",
        "Each argument has its register in the constraints; the result is an output.",
    ),
    UNUSED: (
        "The compiler left calls out: without volatile an asm whose result is unused "
        "is removed, and two that look alike become one.",
        "__asm__ volatile",
    ),
    "memory that the other side changes": (
        "The compiler believes that the call touches no memory: it kept a variable in "
        "a register across it.",
        'List "memory" among the clobbers, in each of the six stubs.',
    ),
    "values in registers": (
        "A register that the stub changes is not in its clobber list, so the compiler "
        "kept a value of the program there.",
        "What the asm changes is an output, or a clobber.",
    ),
}


def ended_by(evidence: Evidence, base: int) -> str:
    """The fault that ended a program early, in words; "" if none did."""
    for event in support.interrupts(evidence):
        if event.fault and event.cpl == 3 and 0 <= event.pc - base < PROGRAM_BYTES:
            return f" Then it was ended by {support.show(event)}."
    return ""


def argument_lost(
    case: Case, position: int, want: int | None, have: int
) -> tuple[str, str]:
    """More about an argument that arrived otherwise: a cause, and its mend."""
    if want is not None and have == want & 0xFFFFFFFF:
        return (
            f" Only the low 32 bits of argument {position + 1} arrived.",
            "The result is an intptr_t and each argument a uintptr_t, never an int.",
        )
    name = ARGUMENTS[case.arch][position]
    if not name.startswith("r"):
        return "", ""
    return (
        f" Argument {position + 1} belongs in {name}, which no constraint names.",
        f"A local variable can be tied to it: register uintptr_t {name} "
        f'__asm__("{name}") = …; and then "r"({name}) is an input.',
    )


def judge(case: Case, position: int, how: str) -> None:
    """Compare one program's calls with its story."""
    evidence = case.run(stubs, ends=support.ANY_END)
    if evidence.run.end is End.TASK_OPEN:
        case.run(stubs)
    want, have = story(evidence), notes_of(evidence, position)
    base = support.of(case)["USER_PROGRAM_BASE"] + position * SECOND
    variable = 0  # the address of the one that both sides use
    for n, (part, number, arguments, word) in enumerate(want):
        cause, hint = CAUSES[part]
        shown = ", ".join("an address" if a is None else f"{a:#x}" for a in arguments)
        texts = {
            "expected": f"With {how}, call {n + 1} of the program ({part}) has "
            f"number {number} and the arguments: {shown or 'none'}.",
            "cause": cause,
            "hint": hint,
            "read": READ_ASM,
            "source": STUBS.replace("<arch>", case.arch),
        }
        if n >= len(have):
            if evidence.run.end is not End.DONE:
                raise unexpected_end(evidence)
            if how == "-O2":
                texts["cause"], texts["hint"] = CAUSES[UNUSED]
            made = f"The program made {len(have)} of {len(want)} calls."
            case.fail(seen=made + ended_by(evidence, base), **texts)
        note = have[n]
        if arguments[:1] == (ANY,):
            variable = variable or note.arguments[0]
            if note.arguments[0] != variable:
                texts["cause"], texts["hint"] = CAUSES["values in registers"]
                seen = f"The address is {note.arguments[0]:#x}, but the variable lies "
                case.fail(seen=f"{seen}at {variable:#x}.", **texts)
        pairs = list(zip(arguments, note.arguments))
        wrong = [i for i, (a, b) in enumerate(pairs) if a is not None and a != b]
        if wrong and part == ONCE:
            more, mend = argument_lost(case, wrong[0], *pairs[wrong[0]])
            texts["cause"], texts["hint"] = cause + more, mend or hint
        case.expect(
            note.number == number and not wrong,
            seen=f"It has number {note.number} and the arguments: "
            f"{hexadecimal(note.arguments[: len(arguments)]) or 'none'}.",
            **texts,
        )
        case.expect(
            word is None or note.word == word,
            seen=f"The kernel finds {note.word:#x} in the program's variable, which "
            "should hold another value by then.",
            **texts,
        )
    case.expect(
        len(have) == len(want),
        expected=f"The program makes {len(want)} calls.",
        seen=f"It made {len(have)}.",
        cause="A stub makes its call more than once.",
        read=HEADER,
    )
    taken = gates_taken(evidence, base, base + PROGRAM_BYTES)
    case.expect(
        len(taken) >= len(want),
        expected=f"The program uses `int 0x80` {len(want)} times at CPL 3.",
        seen=f"It did {len(taken)} times.",
        read=HEADER,
    )
    case.fact("calls", len(want))


@check("call-stubs-plain", boots=(stubs,), needs=("call-arguments", "call-registers"))
def test_plain(case: Case) -> None:
    """The stubs for zero to five arguments do their work in a program compiled without
    optimisation."""
    judge(case, 0, "-O0")


@check(
    "call-stubs-optimised", boots=(stubs,), needs=("call-arguments", "call-registers")
)
def test_optimised(case: Case) -> None:
    """They do it with -O2 as well: constraints and clobber lists say all that the
    compiler must know."""
    judge(case, 1, "-O2")


def editor(plan: Plan, via: Via) -> Boot:
    """The demo, with two lines of text that nobody can guess."""
    rng = plan.rng("editor")
    lines = [f"{plan.nonce}-{rng.getrandbits(32):08x}" for _ in range(2)]
    wrong = lines[1][:-1] + "zz\b\b" + lines[1][-1]
    plan.note("lines", lines)
    program = plan.program("programs/editor.c")
    steps = tuple(Step("> ", f"{text}\r") for text in (lines[0], wrong, "quit"))
    word = f"word{rng.randrange(1000)}"
    plan.note("word", word)
    # By a real clock: in virtual time a read that halts lets hours pass meanwhile.
    return plan.boot(
        modules=(Module("editor", program, word),),
        script=steps,
        via=via,
        icount_shift=None,
        limits=Limits(log_bytes=32 << 20),
    )


@boot("editor")
def direct(plan: Plan) -> Boot:
    return editor(plan, Via.DIRECT)


@boot("grub", disc=True)
def grub(plan: Plan) -> Boot:
    return editor(plan, Via.GRUB)


def converse(case: Case, spec: BootSpec) -> None:
    """Compare the conversation, and look whether ring 3 asked for it."""
    evidence = case.run(spec)
    lines, shown = evidence.notes["lines"], evidence.console
    wanted = [f"argument 1 is {evidence.notes['word']}\n"]
    wanted += [f"s] {n}: {text}\n" for n, text in enumerate(lines, 1)]
    wanted += ["editor ended with status 2\n"]
    at = 0
    for text in wanted:
        at = shown.find(text, at)
        case.expect(
            at >= 0,
            expected=f"The console shows {text.strip()!r}.",
            seen=f"It shows {shown[-300:]!r}.",
            cause="A call of the line editor does not do what it should.",
            hint="Try it: make run A=06-syscalls.",
            read=HEADER,
        )
    times = [float(found) for found in re.findall(r"\[ *(\d+\.\d{3}) s\]", shown)]
    case.expect(
        len(times) == 2 and times[0] <= times[1],
        expected="Each line is shown with the time, which does not go back.",
        seen=f"The times were {times}.",
        read=HEADER,
    )
    base = support.of(case)["USER_PROGRAM_BASE"]
    typed = sum(len(text) for text in lines)
    taken = len(gates_taken(evidence, base, base + PROGRAM_BYTES))
    case.expect(
        taken > 2 * typed,
        expected=f"The program asked the kernel by `int 0x80` more than {2 * typed} "
        "times at CPL 3.",
        seen=f"It did {taken} times.",
        cause="The text did not come from ring 3.",
        read=HEADER,
    )


@check("call-editor", boots=(direct,), needs=("call-stubs-optimised", "call-read"))
def test_editor(case: Case) -> None:
    """A C program with printf reads lines and shows them again, in ring 3."""
    converse(case, direct)


@check("call-grub", boots=(grub,), needs=("call-editor",))
def test_grub(case: Case) -> None:
    """Booted by GRUB, with the program as its module, it does the same."""
    converse(case, grub)
