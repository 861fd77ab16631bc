# SPDX-License-Identifier: MIT
"""Reads values out of a parsed TOML table with their types and ranges checked. Standard library only."""

from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from stemlane.errors import ManifestError

_LONGEST_PROBLEM = 400  # characters: it quotes the value, and says at the end what it should be
T = TypeVar("T")


class Table:
    """A TOML table whose values are fetched with their type checked; errors name file, key and value."""

    def __init__(self, values: Mapping[str, Any], where: str):
        self._values = values
        self.where = where

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def fail(self, key: str, problem: str) -> NoReturn:
        """Raise `ManifestError` about the value of `key`."""
        if len(problem) > _LONGEST_PROBLEM:
            problem = f"{problem[: _LONGEST_PROBLEM // 2]} … {problem[-_LONGEST_PROBLEM // 2 :]}"
        raise ManifestError(f"{self.where}: {key} {problem}")

    def get(self, key: str, kind: type[T], expected: str) -> T:
        """The value of `key`, of type `kind`; `expected` says in words what it should be."""
        if key not in self._values:
            self.fail(key, f"is missing: add {key} = {expected}")
        value = self._values[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            self.fail(key, f"is {value!r}, should be {expected}")
        return value

    def text(self, key: str) -> str:
        """A text on one line, not empty."""
        value = self.get(key, str, 'a "text"').strip()
        if not value or "\t" in value:
            self.fail(key, f"is {value!r}, should be a text without tabs, not empty")
        value = " ".join(value.split())
        if not value.isprintable():  # control characters, which would reach a terminal or the plugin's editor
            self.fail(key, f"is {value!r}, should be a text of printable characters")
        return value

    def integer(self, key: str, lowest: int, highest: int) -> int:
        """A whole number within bounds, both included."""
        value = self.get(key, int, f"a whole number from {lowest} to {highest}")
        if not lowest <= value <= highest:
            self.fail(key, f"is {value}, should be from {lowest} to {highest}")
        return value

    def number(self, key: str, lowest: float, highest: float) -> float:
        """A number within bounds, both included; a whole one is taken too."""
        value = self._values.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, float):
            value = self.get(key, float, f"a number from {lowest:g} to {highest:g}")
        if not lowest <= value <= highest:
            self.fail(key, f"is {value:g}, should be from {lowest:g} to {highest:g}")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self._values.get(key)
        if not isinstance(value, bool):
            self.fail(key, f"is {value!r}, should be true or false")
        return value

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """One of a few texts."""
        value = self.text(key)
        if value not in choices:
            self.fail(key, f"is {value!r}, should be one of: {', '.join(choices)}")
        return value

    def table(self, key: str) -> "Table":
        """The table [key] inside this one."""
        return Table(self.get(key, dict, f"a table [{key}]"), f"{self.where} [{key}]")

    def array(self, key: str, expected: str) -> list[Any]:
        """A list that is not empty."""
        value: list[Any] = self.get(key, list, expected)
        if not value:
            self.fail(key, f"is empty, should be {expected}")
        return value
