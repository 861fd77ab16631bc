# SPDX-License-Identifier: MIT
"""Reads the YAML files that lie beside checkpoints: numbers, texts, lists and tables, and Python's tuples, as written.

No other tag is known, so nothing is ever made of a file but these. Repeated parts by reference, with which a small file
becomes a huge one, are refused.
"""

from pathlib import Path
from typing import Any

from stemlane.errors import ModelError, one_line
from stemlane.regular_files import read_regular

_HIGHEST_BYTES = 1 << 16  # published ones have 1 to 10 KB
_DEEPEST = 32  # of published ones 4; reading takes the square of it, half an hour for a file of nothing but brackets


def read_config(path: Path) -> dict[str, Any]:
    """The tables of a file.

    Raises
    ------
    ModelError
        If it cannot be read, is no YAML, or holds something else than plain data.
    """
    try:
        content = read_regular(path, _HIGHEST_BYTES)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
    return parse_config(content, str(path))


def parse_config(content: bytes, where: str) -> dict[str, Any]:
    """As `read_config`, from the file's content."""
    import yaml

    loader: Any = type("Loader", (yaml.SafeLoader,), {})
    loader.add_constructor("tag:yaml.org,2002:python/tuple", loader.construct_yaml_seq)
    try:
        text = content.decode("utf-8")
        depth = 0
        for event in yaml.parse(text, yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise ModelError(f"{where}: refers to another part of itself: not a file of settings")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise ModelError(f"{where}: lists and tables lie {depth} deep: not a file of settings")
        found = yaml.load(text, loader)  # noqa: S506 - a loader of plain data
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError, TypeError) as error:
        raise ModelError(f"{where}: not a file of settings, or damaged: {one_line(error)[:200]}") from None
    if not isinstance(found, dict):
        raise ModelError(f"{where}: holds no tables: not a file of settings")
    return found


class Config:
    """Values of such a file, each with its type and bounds checked; one that is not there is its default."""

    def __init__(self, values: dict[str, Any], where: str):
        self._values = values
        self._where = where

    def table(self, name: str) -> "Config":
        """The table of that name, empty if there is none."""
        found = self._values.get(name)
        return Config(found if isinstance(found, dict) else {}, f"{self._where} {name}")

    def has(self, name: str) -> bool:
        """Whether anything is said about `name`."""
        return name in self._values

    def integer(self, name: str, default: int, lowest: int, highest: int) -> int:
        """A whole number within bounds, both included."""
        value = self._values.get(name, default)
        if type(value) is not int or not lowest <= value <= highest:
            raise ModelError(f"{self._where}: {name} is {value!a:.40}, should be from {lowest} to {highest}")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise ModelError(f"{self._where}: {name} is {value!a:.40}, should be true or false")
        return value

    def numbers(self, name: str, default: tuple[float, ...], highest: float) -> tuple[float, ...]:
        """As many numbers as the default has, each from 0 to `highest`."""
        value = self._values.get(name, default)
        kinds = {type(number) for number in value} if isinstance(value, list | tuple) else set()
        if not kinds or not kinds <= {int, float} or len(value) != len(default) or not all(
            0 <= number <= highest for number in value
        ):  # fmt: skip
            raise ModelError(f"{self._where}: {name} is {value!a:.60}, should be {len(default)} numbers")
        return tuple(value)

    def texts(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of short texts."""
        value = self._values.get(name, default)
        if not isinstance(value, list | tuple) or not all(isinstance(text, str) and len(text) < 64 for text in value):
            raise ModelError(f"{self._where}: {name} is {value!a:.60}, should be a list of names")
        return tuple(value)

    def text(self, name: str) -> str | None:
        """A short text, or None."""
        value = self._values.get(name)
        if value is not None and not (isinstance(value, str) and len(value) < 64):
            raise ModelError(f"{self._where}: {name} is {value!a:.60}, should be a name")
        return value
