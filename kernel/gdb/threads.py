# SPDX-License-Identifier: MIT
"""The command `threads`: the threads that can be found in the kernel's memory.

The list of threads is the student's own, so none is relied upon: what counts is what
looks like a struct thread: a kernel stack, an id, a state, and something to run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import gdb

from grader.evidence.exhibit import Exhibit, Row
from kernel.gdb import frames
from kernel.gdb.machine import Command, Now, constants, look, show

_STACK_BYTES = 1 << 14
_ID_MOST = 1 << 16
_COLUMNS = ("at", "id", "state", "kernel_top", "sp", "next", "what", "goes on at")


@dataclass(frozen=True)
class Layout:
    """struct thread as the debug information has it: (offset, bytes) by field."""

    fields: dict[str, tuple[int, int]]
    size: int
    states: tuple[str, ...]

    @classmethod
    def read(cls) -> Layout:
        try:
            kind = gdb.lookup_type("struct thread")
            states = gdb.lookup_type("enum thread_state").fields()
        except gdb.error as error:
            raise gdb.GdbError(
                f"The kernel's symbols hold no struct thread: {error}"
            ) from error
        fields = {f.name: (f.bitpos // 8, f.type.sizeof) for f in kind.fields()}
        names = (state.name.removeprefix("THREAD_").lower() for state in states)
        return cls(fields, kind.sizeof, tuple(names))

    def at(self, raw: bytes, start: int) -> dict[str, int]:
        """The fields of the struct that would begin there."""
        return {
            name: int.from_bytes(raw[start + at : start + at + size], "little")
            for name, (at, size) in self.fields.items()
        }


@dataclass(frozen=True)
class Thread:
    """A struct thread in memory; values: its fields by name."""

    address: int
    values: dict[str, int]

    def __getitem__(self, name: str) -> int:
        return self.values[name]


def _search(now: Now, layout: Layout) -> Iterator[Thread]:
    """Look for threads in the image's data and in the heap."""
    known, size = constants("memmap.h"), now.size
    image, heap = known["KERNEL_BASE"], known["HEAP_BASE"]
    image_end = now.symbols.find("image_end") or image + known["KERNEL_MAX_BYTES"]
    tops = _kernel_stacks(known)
    boot = [now.symbols.find(f"boot_stack{end}") or 0 for end in ("", "_top")]
    for start, end in ((image, image_end), (heap, heap + known["HEAP_BYTES"])):
        raw = now.memory.read(start, end - start)
        whole = memoryview(raw[: len(raw) // size * size])
        words = whole.cast("I" if size == 4 else "Q")
        for index in range(len(words) - layout.size // size):
            sp, top = words[index], words[index + 1]
            if not sp | top:
                continue
            idle = top == 0 and boot[0] <= sp < boot[1]
            if not (idle or top in tops or image <= sp <= top <= sp + _STACK_BYTES):
                continue
            values = layout.at(raw, index * size)
            if values["id"] >= _ID_MOST or values["state"] >= len(layout.states):
                continue
            if idle == (values["id"] == 0) and _lives(now, values):
                yield Thread(start + index * size, values)


def _kernel_stacks(known: dict[str, int]) -> set[int]:
    """What kstack_alloc can return: the tops of its slots, a guard page in each."""
    slot = (known["KSTACK_PAGES"] + 1) * known["PAGE_BYTES"]
    slots = range(1, known["KSTACK_SLOTS"] + 1)
    return {known["KSTACK_BASE"] + number * slot for number in slots}


def _lives(now: Now, values: dict[str, int]) -> bool:
    """Its stack may be written; what it is to run is code, and idle is given none."""
    stack = now.scene.walk(now.regs, (values["kernel_top"] or values["sp"]) - 1)
    if stack is None or not stack.writable:
        return False
    function, entry = values["function"], values["user_entry"]
    if values["id"] == 0:
        return function == entry == 0
    if function == 0:
        return entry != 0
    code = now.scene.walk(now.regs, function)
    return entry == 0 and code is not None and code.present and not code.writable


class Threads(Command):
    """threads: the threads in the kernel's memory, and where each goes on.

    Your queue is your own, so memory is searched for what looks like a struct thread
    (course/05-threads.h). `*` marks the one that runs, whatever its state says: the CPU
    stands on its kernel stack or, in ring 3, the TSS names that stack."""

    name = "threads"

    def run(self, argument: str) -> None:
        now = look()
        layout = Layout.read()
        if not now.regs.paging:
            raise gdb.GdbError("Paging is off: the kernel is not up yet, `continue`.")
        found = sorted(_search(now, layout), key=lambda thread: thread["id"])
        if not found:
            print(
                "The kernel's data and heap hold no struct thread with a stack:\n"
                "none was created yet, by thread_create_kernel or thread_create_user."
            )
            return
        names = {thread.address: str(thread["id"]) for thread in found}
        rows = tuple(_row(now, layout, thread, names) for thread in found)
        idle = found[0]["id"] == 0
        note = "" if idle else "The idle thread (id 0) was never left yet."
        show(Exhibit("threads", "Threads", _COLUMNS, rows, note))


def _row(now: Now, layout: Layout, thread: Thread, names: dict[int, str]) -> Row:
    top, onward = thread["kernel_top"], ""
    lost = top != 0 and not top - _STACK_BYTES <= thread["sp"] <= top
    runs = _runs(now, top)
    if lost:
        onward = "sp lies outside of its kernel stack"
    elif not runs:
        onward = _resumes(now, thread)
    what = f"user: {thread['user_entry']:#x}" if thread["user_entry"] else "idle"
    if thread["function"]:
        what = f"kernel: {now.name(thread['function']).split(' ')[0]}"
    following = thread["next"]
    cells = (
        f"{thread.address:#x}",
        f"{thread['id']}{'*' if runs else ''}",
        layout.states[thread["state"]],
        f"{top:#x}" if top else "-",
        f"{thread['sp']:#x}",
        names.get(following, f"{following:#x}") if following else "-",
        what,
        onward,
    )
    return Row(cells, lost)


def _runs(now: Now, top: int) -> bool:
    """In ring 3 the TSS tells whose turn it is, in ring 0 the stack pointer."""
    state, sp = now.scene.tss(now.regs), now.regs.sp or 0
    if now.regs.cpl == 3:
        return state is not None and state.stack0 == top
    if top == 0:
        return now.name(sp).startswith("boot_stack")
    return top - _STACK_BYTES <= sp <= top


def _resumes(now: Now, thread: Thread) -> str:
    """Where `ret` or `iret` takes it, by what lies on its kernel stack."""
    stack = frames.Stack(now.scene, now.regs, thread["sp"], (), now.name)
    found = frames.find(stack)
    if found is not None:
        at = found.words[found.index]
        return f"ring {found.ring}: {now.name(at) or hex(at)}"
    for word in stack.words[:16]:
        if now.name(word):
            return f"ring 0: {now.name(word)}"
    return ""


def load() -> None:
    Threads()
