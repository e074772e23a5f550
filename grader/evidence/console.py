# SPDX-License-Identifier: MIT
"""The guest's console: untrusted bytes, made fit to show and to search.

The console proves nothing by itself: student code can print any line.
"""

from __future__ import annotations

import re
from typing import Optional

PANIC_BEGIN = "[ringlab] panic:"
PANIC_END = "[ringlab] panic end"

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?")

# GRUB clears its screen and announces the entry that it boots.
_GRUB = re.compile(rb"\A[^`]*Booting `ringlab'[\r\n]*")


def sanitise(raw: bytes) -> str:
    """Printable text: escape sequences dropped, other control characters shown.

    CR LF becomes a newline, tabs stay, bytes that are no UTF-8 show as U+FFFD.
    """
    text = raw.decode("utf-8", "replace")
    text = _ESCAPE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        c if c in "\n\t" or c.isprintable() else f"\\x{ord(c):02x}" for c in text
    )


def lines(raw: bytes) -> list[str]:
    """The sanitised lines, without trailing blanks; a last empty one is dropped."""
    return [line.rstrip() for line in sanitise(raw).splitlines()]


def kernel(raw: bytes) -> bytes:
    """What is left without GRUB's own words and blanks: what the kernel printed."""
    return _GRUB.sub(b"", raw, count=1).strip()


def tail(raw: bytes, count: int = 10, width: int = 120) -> list[str]:
    """The last lines that hold anything, cut to `width` characters."""
    full = [line for line in lines(raw[-64 * 1024 :]) if line]
    return [x if len(x) <= width else x[: width - 1] + "…" for x in full[-count:]]


def panic(raw: bytes) -> Optional[list[str]]:
    """The lines of the last kernel panic, its first line without the prefix."""
    found: Optional[list[str]] = None
    for line in lines(raw):
        at = line.find(PANIC_BEGIN)
        if at >= 0:
            found = [line[at + len(PANIC_BEGIN) :].strip()]
        elif found is not None and PANIC_END in line:
            break
        elif found is not None and len(found) < 40:
            found.append(line)
    return found
