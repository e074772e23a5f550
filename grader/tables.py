# SPDX-License-Identifier: MIT
"""TOML tables whose faults are told with the file, the key and the mend."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib

from grader.errors import OperatorError


class ManifestError(OperatorError):
    """One fault of a manifest: which file, which key, and how to mend it."""

    def __init__(self, file: Path, key: str, what: str, mend: str) -> None:
        super().__init__(f"{file}: {key}: {what}", mend)
        self.file = file
        self.key = key


class Table:
    """A TOML table with the path to it, for errors that name file and key."""

    def __init__(self, file: Path, data: Mapping[str, Any], where: str = "") -> None:
        self.file = file
        self.data = data
        self.where = where

    @classmethod
    def read(cls, file: Path, root: Path) -> Table:
        """The whole file. Raises ManifestError."""
        shown = file.relative_to(root)
        try:
            return cls(shown, tomllib.loads(file.read_text(encoding="utf-8")))
        except tomllib.TOMLDecodeError as error:
            mend = "mend the syntax there"
            raise ManifestError(shown, "TOML", str(error), mend) from None
        except UnicodeDecodeError as error:
            raise ManifestError(shown, "text", str(error), "save it as UTF-8") from None

    def error(self, key: str, what: str, mend: str) -> ManifestError:
        at = f"{self.where}, {key}" if self.where and key else self.where or key
        return ManifestError(self.file, at, what, mend)

    def known(self, *keys: str) -> None:
        for key in self.data:
            if key not in keys:
                raise self.error(
                    key, "is not a key that is known here", f"use {', '.join(keys)}"
                )

    def text(self, key: str) -> str:
        value = self.data.get(key)
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            state = "is missing" if value is None else "is no line of text"
            raise self.error(key, state, f'write {key} = "…"')
        return value

    def number(self, key: str, least: int) -> int:
        value = self.data.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            state = "is missing" if value is None else f"is {value!r}"
            raise self.error(key, state, f"write a whole number, {least} or more")
        return value

    def flag(self, key: str) -> bool:
        value = self.data.get(key, False)
        if not isinstance(value, bool):
            raise self.error(key, f"is {value!r}", f"write {key} = true, or leave it")
        return value

    def words(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        value = self.data.get(key, list(default))
        good = isinstance(value, list) and all(isinstance(w, str) for w in value)
        if not good:
            raise self.error(key, "is no list of texts", f'write {key} = ["…", "…"]')
        for word in value:
            if value.count(word) > 1:
                raise self.error(key, f"names {word!r} twice", "name it once")
        return tuple(value)

    def table(self, key: str) -> Table:
        value = self.data.get(key, {})
        if not isinstance(value, dict):
            raise self.error(key, "is no table", f"write a section [{key}]")
        return Table(self.file, value, f"[{key}]")

    def tables(self, key: str) -> list[Table]:
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(t, dict) for t in value):
            raise self.error(key, "is no list of tables", f"write [[{key}]] sections")
        if not value:
            raise self.error(key, "there is none", f"write a [[{key}]] section")
        return [
            Table(self.file, t, f"{key} {t.get('id', number)!r}")
            for number, t in enumerate(value, 1)
        ]
