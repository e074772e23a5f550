# SPDX-License-Identifier: MIT
"""06-syscalls: the gate, its entry and the dispatcher, seen from both sides."""

from __future__ import annotations

from grader.checks import exhibits, support
from grader.checks.api import Case, Plan, boot, check
from grader.checks.arch import arch_of
from grader.checks.record import Evidence
from grader.checks.syscalls import (
    ARGUMENTS,
    AS_SILICON,
    FIRST_NOTE,
    GATE,
    HEADER,
    HOW_DF,
    HOW_NULL,
    LAST_NOTE,
    RESULT,
    ROW,
    SHARED,
    Caller,
    Note,
    Script,
    came_back,
    gates_taken,
    hexadecimal,
    notes_of,
    results,
    returned,
)
from grader.evidence import explain
from grader.evidence.descriptors import GateDescriptor
from grader.evidence.signatures import READ_GATE_DPL
from grader.evidence.trace import Interrupt
from grader.machine import Boot, End

READ_FRAME = 'SDM 3A "Exception- or Interrupt-Handler Procedures" (6.12.1)'
READ_DF = "The calling convention of C: DF is clear, and the sheet's “6.1”"
NOTED = LAST_NOTE - FIRST_NOTE + 1
BETWEEN = 3
DF, IF = 0x400, 0x200
GATE_TYPES = (0xE, 0xF)


@boot("gate")
def gate(plan: Plan) -> Boot:
    """Noted calls, then numbers of no call with some noted calls in between; two
    threads that try other vectors."""
    script = Script(plan)
    rng = plan.rng("gate")
    numbers = rng.sample(range(FIRST_NOTE, LAST_NOTE + 1), NOTED)
    hows = [0, 0, 0, HOW_DF, HOW_NULL, HOW_DF | HOW_NULL, 0, 0]
    rows = [script.row(rng, n, how=how) for n, how in zip(numbers, hows)]
    count = 52  # of the calls; the check compares it with the image's own
    high = 1 << 8 * support.word_bytes(plan.arch) - 1
    bad = [0, rng.randrange(8, AS_SILICON), count, count + rng.randrange(1, 60), -1]
    bad += [-rng.randrange(2, 60), high, high - 1, high + numbers[0]]
    bad += [rng.randrange(1, 0x7FFF) << 16 | numbers[1], 0x100 | numbers[2]]
    bad += [(1 << 32) + numbers[3]] if high > 1 << 32 else []
    others = [script.row(rng, number) for number in bad]
    for number in numbers[:BETWEEN]:
        others.insert(rng.randrange(len(others)), script.row(rng, number))
    script.caller("the probe", rows + others)
    vectors = (0x0E, rng.randrange(0x21, 0x80))
    for n, vector in enumerate(vectors):
        labels = script.probe("soft_int", f"soft{n}", VECTOR=vector)
        plan.note(f"soft{n}", (vector, labels["int_at"]))
    return script.boot("syscalls-run", *support.hexadecimal(ticks=400))


def probe(case: Case) -> tuple[Evidence, Caller]:
    """The boot, however it ended, as long as no task is open."""
    evidence = case.run(gate, ends=support.ANY_END)
    if evidence.run.end is End.TASK_OPEN:
        case.run(gate)
    return evidence, evidence.notes["callers"][0]


@check("call-gate", boots=(gate,))
def test_gate(case: Case) -> None:
    """The gate of vector 0x80 is present, of DPL 3 and leads to kernel code; ring 3 may
    use no other: `int 0x0e` gives #GP."""
    evidence = case.run(gate, ends=support.ANY_END)
    # A gate to an entry that meets the stub of a later task can be judged already.
    entered = any(f"task 6.{n} is open" in evidence.console for n in (2, 3, 4))
    if evidence.run.end is End.TASK_OPEN and not entered:
        case.run(gate)
    table = evidence.registers.idt
    size = 2 * support.word_bytes(case.arch)
    wide = size == 16
    base, limit = (table.base, table.limit) if table else (0, 0)
    raw = support.space(evidence).read(base, limit + 1)
    gates = [
        GateDescriptor.decode(raw[at : at + size], wide=wide)
        for at in range(0, len(raw) - size + 1, size)
    ]
    case.expect(
        len(gates) > GATE,
        expected="The IDT has a gate for vector 0x80.",
        seen=f"It ends with vector {len(gates) - 1}.",
        read=READ_GATE_DPL,
    )
    mine = gates[GATE]
    good = mine.p == 1 and mine.dpl == 3 and mine.s == 0 and mine.type in GATE_TYPES
    code = support.of(case)["SEL_KCODE"]
    other = next((n for n, g in enumerate(gates) if g.dpl == 3 and n != GATE), None)
    at_decimal = other == 80
    if not at_decimal:
        exhibits.gate(case, GATE, mine, dpl=3, kinds=GATE_TYPES, ist="")
    case.expect(
        good and mine.selector == code,
        expected=f"Gate 0x80: present, DPL 3, an interrupt gate, selector {code:#06x}.",
        seen=f"{', '.join(mine.explain())}, selector {mine.selector:#06x}.",
        cause="The gate stands at vector 80 (0x50), but `int 0x80` is vector 128."
        if at_decimal
        else "",
        hint="idt_set_gate(VEC_SYSCALL, …): present, DPL 3, interrupt gate, SEL_KCODE",
        read=READ_GATE_DPL,
    )
    case.lay_open(None)
    case.expect(
        other is None,
        expected="Every other gate has DPL 0.",
        seen=f"Gate {other} has DPL 3." if other is not None else "",
        cause="Ring 3 can fake this exception or interrupt with an int instruction.",
        hint="Only the gate of the system calls is for ring 3.",
        read=READ_GATE_DPL,
    )
    for n in range(2):
        vector, pc = evidence.notes[f"soft{n}"]
        event = support.user_fault(evidence.events, pc, 13)
        codes = {vector * 8 + 2} | ({vector * 16 + 2} if wide else set())  # QEMU < 8.0
        case.expect(
            event.e in codes if event else evidence.run.end is not End.DONE,
            expected=f"`int {vector:#x}` from ring 3 gives #GP with error code "
            f"{vector * 8 + 2:#x}.",
            seen=f"The CPU recorded {support.show(event)}.",
            cause="The gate lets ring 3 through.",
            read=READ_GATE_DPL,
        )
    case.fact("gate", [mine.p, mine.dpl, mine.selector, other])


def noted(case: Case) -> tuple[Evidence, Caller, list[Note]]:
    """The noted calls of the probe; there are enough, or the check fails."""
    evidence, caller = probe(case)
    found = notes_of(evidence, 0)
    calls = gates_taken(evidence, caller.int_at, caller.int_at + 1)
    stray = {note.after for note in found} - {call.number for call in calls}
    case.expect(
        not stray,
        expected="A function of the table runs when ring 3 has called.",
        seen="One ran at another time.",
        cause="The functions of the table are called for no call of ring 3.",
        hint="syscall_dispatch calls one function, when ring 3 asks for it.",
        read=HEADER,
    )
    if len(found) < NOTED:
        came_back(case, evidence, caller, NOTED)
    have = [result["ax"] for result in results(evidence, caller)]
    error = support.of(case)["E_NOSYS"]
    for nth, call in enumerate(calls[:NOTED]):
        count = sum(note.after == call.number for note in found)
        refused = count == 0 and have[nth : nth + 1] == [error]
        case.expect(
            count == 1,
            expected=f"Call {nth + 1}, number {caller.rows[nth].number}, reaches one "
            "function.",
            seen=f"It reached {count}." + (" It gave E_NOSYS." if refused else ""),
            cause="syscall_dispatch was called with another number. An address on the "
            "stack is one, if its two arguments are swapped (i386: the last argument "
            "is pushed first); or the comparison refuses a good number."
            if refused
            else "The number was lost on the way to the dispatcher, or that does not "
            "call what stands in the table.",
            hint="The accumulator holds the number until syscall_dispatch has it; then "
            "syscall_table()[number](arguments), once.",
            read=HEADER,
        )
    return evidence, caller, found


@check("call-through", boots=(gate,))
def test_through(case: Case) -> None:
    """`int 0x80` at CPL 3 reaches the kernel; its result comes back in eax (rax)."""
    evidence, caller = probe(case)
    have = came_back(case, evidence, caller, NOTED)
    taken = gates_taken(evidence, caller.int_at, caller.int_at + 1)
    case.expect(
        len(taken) >= NOTED,
        expected=f"The CPU takes {NOTED} times vector 0x80 at CPL 3 at the probe.",
        seen=f"It did {len(taken)} times.",
        cause="The calls did not come by the gate.",
        read=READ_GATE_DPL,
    )
    noted(case)
    for nth in range(NOTED):
        want = returned(evidence, nth)
        case.expect(
            have[nth]["ax"] == want,
            expected=f"Call {nth + 1} has the result {want:#x}, as the function that "
            "served it returned.",
            seen=f"Ring 3 found {have[nth]['ax']:#x} in "
            f"{arch_of(case).register('ax')}.",
            cause="The result is lost on the way: the register is restored from before "
            "the call, or something overwrote it.",
            hint="syscall_dispatch returns it where C returns results; leave it there.",
            read=HEADER,
        )
    case.fact("through", NOTED)


@check("call-arguments", boots=(gate,), needs=("call-through",))
def test_arguments(case: Case) -> None:
    """All five arguments arrive, in order, at the function with that number."""
    evidence, caller, found = noted(case)
    arch = arch_of(case)
    for nth, (row, note) in enumerate(zip(caller.rows[:NOTED], found)):
        case.expect(
            note.number == row.number,
            expected=f"Call {nth + 1} is served by function {row.number}.",
            seen=f"It was served by function {note.number}.",
            cause="The number is not what ring 3 had in its first register.",
            read=HEADER,
        )
        want = row.arguments(case.arch)
        where = {row.registers[name]: arch.register(name) for name in ROW[case.arch]}
        wrong = [i for i, (a, b) in enumerate(zip(note.arguments, want)) if a != b]
        case.expect(
            not wrong,
            expected=f"The arguments are {hexadecimal(want)}.",
            seen=f"They were {hexadecimal(note.arguments)}: argument "
            f"{wrong[0] + 1} is "
            f"{where.get(note.arguments[wrong[0]], 'of no register')}."
            if wrong
            else "",
            cause="The registers are not handed on in the order of the contract: "
            f"{' '.join(map(arch.register, ARGUMENTS[case.arch]))}."
            + (
                " rcx is C's fourth argument; for a call r10 stands for it."
                if any(note.arguments[i] == row.registers["cx"] for i in wrong)
                and "r10" in ARGUMENTS[case.arch]
                else ""
            ),
            hint="The array grows upwards and the stack downwards: push the last "
            "argument first.",
            read=HEADER,
        )
    case.fact("arguments", NOTED)


@check("call-registers", boots=(gate,), needs=("call-through",))
def test_registers(case: Case) -> None:
    """Every register but the one of the result is after the call what it was before,
    segments, flags and stack pointer included."""
    evidence, caller = probe(case)
    have = came_back(case, evidence, caller, NOTED)
    arch = arch_of(case)
    user = support.of(case)["SEL_UDATA"]
    calls = gates_taken(evidence, caller.int_at, caller.int_at + 1)
    for nth, (row, result) in enumerate(zip(caller.rows[:NOTED], have)):
        want = {**row.registers, **row.segments(user)}
        want["sp"] = calls[nth].sp
        want["flags"] = calls[nth].regs.flags or 0
        gone = ("ax", *SHARED[case.arch])
        for name in (n for n in RESULT[case.arch] if n not in gone):
            case.expect(
                result[name] == want[name],
                expected=f"After call {nth + 1} {arch.register(name)} is "
                f"{want[name]:#x}, as before.",
                seen=f"It is {result[name]:#x}.",
                cause="The entry does not keep this register, or restores it in "
                "another order.",
                hint="What is pushed first is popped last; C keeps only some of the "
                "registers, ring 3 relies on all.",
                read=HEADER,
            )
    case.fact("registers", len(RESULT[case.arch]))


@check("call-kernel-state", boots=(gate,), needs=("call-arguments",))
def test_state(case: Case) -> None:
    """A call runs with the kernel's data segments, DF clear, interrupts on, and on the
    kernel stack of the thread that calls, whatever ring 3 had in its registers."""
    evidence, _, found = noted(case)
    kernel = support.of(case)["SEL_KDATA"]
    size = support.of(case)["KSTACK_PAGES"] * support.PAGE
    [(top,)] = support.array(evidence, "scenario_kernel_tops", arch_of(case).word, 1)
    wide = support.word_bytes(case.arch) == 8
    for nth, note in enumerate(found[:NOTED]):
        case.expect(
            wide or set(note.segments) == {kernel},
            expected=f"In call {nth + 1} ds es fs gs hold {kernel:#06x}.",
            seen=f"They hold {hexadecimal(note.segments)}.",
            cause="The kernel uses selectors that ring 3 chose; a null one faults.",
            hint="Load SEL_KDATA into all four behind the pushes.",
            read=READ_FRAME,
        )
        case.expect(
            not note.flags & DF,
            expected="DF is clear in the kernel.",
            seen=f"In call {nth + 1} it was set, as ring 3 had set it.",
            cause="String instructions of the kernel would run backwards.",
            hint="cld, before any C.",
            read=READ_DF,
        )
        case.expect(
            note.flags & IF,
            expected="Interrupts are on while a call is served.",
            seen=f"In call {nth + 1} they were off.",
            cause="The interrupt gate clears IF and nobody set it again: no tick comes "
            "while the call runs.",
            hint="cpu_sti() in syscall_dispatch, around the function.",
            read=HEADER,
        )
        case.expect(
            top - size <= note.stack < top,
            expected=f"The call runs on its thread's kernel stack, below {top:#x}.",
            seen=f"Its stack is at {note.stack:#x}.",
            cause="The entry changes the stack, or the gate names an IST slot, which "
            "all threads would share.",
            hint="Leave the stack alone: the CPU takes the thread's own from the TSS.",
            read=READ_FRAME,
        )
    case.fact("state", NOTED)


@check("call-numbers", boots=(gate,), needs=("call-through",))
def test_numbers(case: Case) -> None:
    """A number that is no call, whatever its size or sign, gives E_NOSYS and nothing
    else; the whole register counts."""
    evidence, caller = probe(case)
    [(count,)] = support.array(evidence, "scenario_count", "I", 1)
    have = came_back(case, evidence, caller, NOTED)
    error = support.of(case)["E_NOSYS"]
    mask = (1 << 8 * support.word_bytes(case.arch)) - 1
    served = NOTED
    for row, result in zip(caller.rows[NOTED:], have[NOTED:]):
        want, named = error, f"E_NOSYS ({error:#x})"
        if FIRST_NOTE <= row.number <= LAST_NOTE:
            want, named = returned(evidence, served), "what its function returned"
            served += 1
        case.expect(
            result["ax"] == want,
            expected=f"Number {row.number:#x} gives {named}.",
            seen=f"It gave {result['ax']:#x}.",
            cause=_number_cause(row.number, count, mask),
            hint="One comparison of the whole word, unsigned: number >= "
            "syscall_count().",
            read=HEADER,
        )
    if len(have) < len(caller.rows):
        row = caller.rows[len(have)]
        event = next(
            (e for e in support.interrupts(evidence) if _kernel_fault(e)), None
        )
        why = explain.fault(evidence.scene, event) if event else evidence.diagnosis
        case.lay_open(lambda: why.exhibits)
        case.fail(
            expected=f"Number {row.number:#x} gives E_NOSYS ({error:#x}).",
            seen=f"The kernel did not survive it. {why.seen}",
            cause=_number_cause(row.number, count, mask),
            hint="One comparison of the whole word, unsigned: number >= "
            "syscall_count().",
            read=HEADER,
            source=why.source,
        )
    extra = len(notes_of(evidence, 0)) - served
    case.expect(
        extra == 0,
        expected="None of these numbers reaches a function.",
        seen=f"{extra} did.",
        cause="Only a part of the register was compared.",
        read=HEADER,
    )
    case.fact("numbers", len(have) - NOTED)


def _kernel_fault(event: Interrupt) -> bool:
    return event.fault and event.cpl == 0


def _number_cause(number: int, count: int, mask: int) -> str:
    """What lets this number through, or refuses a good one."""
    if FIRST_NOTE <= number <= LAST_NOTE:
        return "A call that exists is refused, or its result is lost."
    if number > mask >> 1 and mask + 1 - number < 100:
        return "A negative number passes a signed comparison."
    if number & 0xFFFF < count or number & 0xFF < count or number & mask >> 1 < count:
        if number >= count:
            half = ", or the entry handed on only half of it (`mov edi, eax`)"
            wide = mask > 0xFFFFFFFF
            return f"Only a part of the register was compared{half if wide else ''}."
    if number == count:
        return "The bound is off by one: the last call is one below the count."
    return "There is no bound, or it does not hold for this number."
