# SPDX-License-Identifier: MIT
"""The seed of a run, and everything random that is derived from it."""

from __future__ import annotations

import hashlib
import random
import re
import secrets

from grader.errors import OperatorError

SEED_BITS = 64


def draw() -> int:
    """A fresh seed from the operating system."""
    return secrets.randbits(SEED_BITS)


def parse(text: str) -> int:
    """The seed that `text` (up to 16 hexadecimal digits) stands for."""
    if not re.fullmatch(r"(0[xX])?[0-9a-fA-F]{1,16}", text):
        raise OperatorError(
            f"SEED={text!r} is not a 64-bit hexadecimal number",
            "give up to 16 digits 0-9 a-f, or leave SEED out for a random one",
        )
    return int(text, 16)


def show(seed: int) -> str:
    """The seed as it is printed and accepted: 16 hexadecimal digits."""
    return f"{seed:016x}"


def derive(seed: int, *names: str) -> bytes:
    """32 bytes that depend on the seed and on every name, and on nothing else."""
    words = "\0".join((show(seed), *names))
    return hashlib.sha256(words.encode()).digest()


def rng(seed: int, *names: str) -> random.Random:
    """A generator of its own for each list of names (arch, stage, boot, purpose)."""
    return random.Random(derive(seed, "rng", *names))


def nonce(seed: int, arch: str, stage: str) -> str:
    """The word that a graded kernel has to repeat: 16 hexadecimal digits."""
    return derive(seed, "nonce", arch, stage)[:8].hex()
