# SPDX-License-Identifier: Apache-2.0
"""Reading a TOML table field by field, with errors that say which file and field is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from tinyc.errors import TinycError


class Table:
    """A TOML table that is read field by field; says which file and field is wrong."""

    def __init__(self, data: Mapping[str, Any], file: Path, prefix: str = "") -> None:
        self._data = data
        self._file = file
        self._prefix = prefix
        self._read: set[str] = set()

    def error(self, field: str, problem: str) -> TinycError:
        return TinycError(
            f"{self._file}: {self._prefix}{field}: {problem}",
            hint="targets/cortex-m4.toml of the tinyc sources is a complete example",
        )

    def get(self, field: str, kind: type, description: str, default: Any = None) -> Any:
        self._read.add(field)
        value = self._data.get(field, default)
        if value is None:
            raise self.error(field, "this field is missing")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(field, f"must be {description}, not {value!r}")
        return value

    def fields(self) -> list[str]:
        return list(self._data)

    def text(self, field: str) -> str:
        value = cast(str, self.get(field, str, "a string"))
        if not value.strip():
            raise self.error(field, "must not be empty")
        return value

    def number(self, field: str, default: int | None = None, least: int = 0) -> int:
        value = cast(int, self.get(field, int, "an integer", default))
        if value < least:
            raise self.error(field, f"must be at least {least}, not {value}")
        return value

    def choice(self, field: str, allowed: tuple[str, ...]) -> str:
        value = self.text(field)
        if value not in allowed:
            raise self.error(field, f"must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def texts(
        self, field: str, allowed: tuple[str, ...] | None = None, default: list[str] | None = None
    ) -> tuple[str, ...]:
        values = self.get(field, list, "a list of strings", default)
        for value in values:
            if not isinstance(value, str):
                raise self.error(field, f"must be a list of strings, not one with {value!r}")
            if allowed is not None and value not in allowed:
                raise self.error(field, f"must list only {', '.join(allowed)}, not {value!r}")
        return tuple(values)

    def table(self, field: str) -> Table:
        return Table(self.get(field, dict, "a table"), self._file, f"{self._prefix}{field}.")

    def tables(self, field: str) -> list[Table]:
        values = self.get(field, list, "an array of tables", [])
        for value in values:
            if not isinstance(value, dict):
                raise self.error(field, f"must be an array of tables, not one with {value!r}")
        return [Table(value, self._file, f"{self._prefix}{field}[{i}].") for i, value in enumerate(values)]

    def flag(self, field: str, default: bool = False) -> bool:
        return cast(bool, self.get(field, bool, "true or false", default))

    def is_number(self, field: str) -> bool:
        """Whether the field is an integer; no more than a look at it."""
        return isinstance(self._data.get(field), int)

    def has(self, field: str) -> bool:
        self._read.add(field)
        return field in self._data and self._data[field] is not False

    def finish(self) -> None:
        """Refuses fields that nobody read: they are misspelt."""
        for field in self._data:
            if field not in self._read:
                raise self.error(field, f"unknown field (known: {', '.join(sorted(self._read))})")
