# SPDX-License-Identifier: MIT
"""Reads pickles of plain data without Python's unpickler: nothing is imported, called by name, or given a state.

The standard library's `pickletools` splits the stream into operations; the few that torch.save writes are carried out
here. What a pickle names becomes whatever the reader's table holds for that name. The rules are those of torch's own
restricted reader (torch/_weights_only_unpickler.py), and stricter: only the table's functions can be called, with
arguments they check themselves, and no object takes a state except those of a class that asks for it.
"""

import pickletools
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, cast

_HIGHEST_BYTES = 16 << 20  # the largest published package has 0.3 MiB of pickle
_HIGHEST_OPERATIONS = 1_000_000  # the same package has 40,000
_HIGHEST_DEPTH = 64  # of containers in each other; published packages have 6


Names = Mapping[tuple[str, str], Any]  # what a pickle gets for each (module, name) it may ask for


class PickleError(ValueError):
    """The pickle asks for something it may not have, or is damaged."""


class Function:
    """A function a pickle may call; it must check its arguments, which can be anything a pickle holds.

    A pickle gets hold of this object, never of the function.
    """

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]):
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        """What the function returns."""
        return self._call(*arguments)


class Stateful:
    """Base of what may be given a state once it has been made: `set_state` must check it."""

    __slots__ = ()

    def set_state(self, state: Any) -> None:
        """Take the state or raise `PickleError`."""
        raise NotImplementedError


class OrderedTable(dict[Any, Any]):
    """Stands for an OrderedDict; a state, such as torch's `_metadata`, is read and forgotten."""

    __slots__ = ()


class _Mark:
    """Where a list of arguments begins on the stack."""


class _Limited:
    """A file of which only so much can be read, whatever sizes a pickle states."""

    def __init__(self, file: BinaryIO, limit: int):
        self._file, self._left = file, limit
        self.tell = file.tell

    def read(self, size: int) -> bytes:
        return self._counted(self._file.read(self._bounded(size)))

    def readline(self) -> bytes:
        return self._counted(self._file.readline(self._left))

    def _bounded(self, size: int) -> int:
        if not 0 <= size <= self._left:
            raise PickleError(f"states {size} bytes, more than weights need")
        return size

    def _counted(self, content: bytes) -> bytes:
        self._left -= len(content)
        return content


def read_pickle(file: BinaryIO, names: Names, load: Callable[[Any], Any] | None = None) -> Any:
    """The object that the pickle at the file's position describes; the file is left right behind it.

    Parameters
    ----------
    names
        What the pickle gets for each (module, name) it may ask for: a `Function`, or any object that cannot be changed.
    load
        Returns what a persistent identifier stands for; None where there are none.

    Raises
    ------
    PickleError
        If it asks for anything else, is too large, or holds an operation that plain data does not need.
    Exception
        A few others if it is damaged: ValueError, KeyError, IndexError, TypeError, UnicodeError.
    """
    return _Machine(names, load).run(_Limited(file, _HIGHEST_BYTES))


class _Machine:
    """The stack, the memo and the operations of one pickle."""

    def __init__(self, names: Names, load: Callable[[Any], Any] | None):
        self._names, self._load = names, load
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, file: _Limited) -> Any:
        for number, (operation, argument, _) in enumerate(pickletools.genops(cast(BinaryIO, file))):
            if operation.name == "STOP":
                (result,) = self._stack
                check_depth(result)
                return result
            if number >= _HIGHEST_OPERATIONS:
                raise PickleError("has more operations than weights need")
            if operation.name in _CONSTANTS:
                self._stack.append(_CONSTANTS[operation.name])
            elif operation.name in _LITERALS:
                self._stack.append(argument)
            else:
                action = _ACTIONS.get(operation.name)
                if action is None:
                    raise PickleError(f"holds the operation {operation.name}, which weights do not need")
                action(self, argument)
        raise PickleError("is cut off")

    def pop(self, kind: type | tuple[type, ...] = object) -> Any:
        """The uppermost object, taken off; it must be of the type."""
        value = self._stack.pop()
        if isinstance(value, _Mark) or not isinstance(value, kind):
            raise PickleError("is damaged")
        return value

    def top(self, kind: type = object) -> Any:
        """The uppermost object, left there."""
        value = self.pop(kind)
        self._stack.append(value)
        return value

    def pop_to_mark(self) -> list[Any]:
        """What lies above the last mark, both taken off."""
        values = []
        while not isinstance(value := self._stack.pop(), _Mark):
            values.append(value)
        return values[::-1]

    def ignore(self, _: object) -> None:
        """PROTO and FRAME say how the rest is stored, which `genops` has understood."""

    def mark(self, _: object) -> None:
        """Begin a list of arguments."""
        self._stack.append(_Mark())

    def make(self, kind: type) -> None:
        """A new container."""
        self._stack.append(kind())

    def tuple(self, count: int | None) -> None:
        """A tuple of the uppermost objects, or of those above the mark."""
        values = self.pop_to_mark() if count is None else [self.pop() for _ in range(count)][::-1]
        self._stack.append(tuple(values))

    def put(self, index: int | None) -> None:
        """Remember the uppermost object."""
        self._memo[len(self._memo) if index is None else index] = self.top()

    def get(self, index: int) -> None:
        """An object that was remembered."""
        self._stack.append(self._memo[index])

    def append(self, values: list[Any]) -> None:
        """Into the list below."""
        self.top(list).extend(values)

    def set_items(self, values: list[Any]) -> None:
        """Into the table below: keys and values in turn."""
        table = self.top(dict)
        for key, value in zip(values[::2], values[1::2], strict=True):
            # Hashing a tuple of tuples of one tuple may take forever.
            if not isinstance(key, (str, int)):
                raise PickleError("holds a table whose keys are no texts")
            table[key] = value

    def name(self, module: str, name: str) -> None:
        """What the table of names holds."""
        if (module, name) not in self._names:
            asked = ascii(f"{module}.{name}"[:100])[1:-1]
            raise PickleError(f"asks for {asked}, which weights do not need")
        self._stack.append(self._names[module, name])

    def call(self, _: object) -> None:
        """What a function gives for a tuple of arguments."""
        arguments, function = self.pop(tuple), self.pop()
        if not isinstance(function, Function):
            raise PickleError("is damaged: calls what is no function")
        self._stack.append(function(*arguments))

    def build(self, _: object) -> None:
        """Give the uppermost object a state, if it takes one."""
        state, value = self.pop(), self.top()
        if isinstance(value, Stateful):
            value.set_state(state)
        elif not isinstance(value, OrderedTable):
            raise PickleError("gives a state to what has none")

    def load(self, _: object) -> None:
        """What is stored outside."""
        identifier = self.pop()
        if self._load is None:
            raise PickleError("refers to something outside")
        self._stack.append(self._load(identifier))


def check_depth(value: Any) -> None:
    """Raise `PickleError` unless the containers in `value` can be walked through: no rings, no endless nesting.

    A container that lies in several others counts each time, so that a few bytes cannot ask for endless work.
    """
    left = _HIGHEST_OPERATIONS
    waiting = [(value, 0)]
    while waiting:
        entry, depth = waiting.pop()
        if not isinstance(entry, (dict, list, tuple)):
            continue
        left -= 1 + len(entry)
        if depth > _HIGHEST_DEPTH or left < 0:
            raise PickleError("holds tables in tables without end")
        waiting.extend((inner, depth + 1) for inner in (entry.values() if isinstance(entry, dict) else entry))


_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS = {
    "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT",
    "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "SHORT_BINBYTES", "BINBYTES",
}  # fmt: skip
_ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": _Machine.ignore,
    "FRAME": _Machine.ignore,
    "MARK": _Machine.mark,
    "EMPTY_DICT": lambda machine, _: machine.make(dict),
    "EMPTY_LIST": lambda machine, _: machine.make(list),
    "EMPTY_TUPLE": lambda machine, _: machine.make(tuple),
    "TUPLE": lambda machine, _: machine.tuple(None),
    "TUPLE1": lambda machine, _: machine.tuple(1),
    "TUPLE2": lambda machine, _: machine.tuple(2),
    "TUPLE3": lambda machine, _: machine.tuple(3),
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.put,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "APPEND": lambda machine, _: machine.append([machine.pop()]),
    "APPENDS": lambda machine, _: machine.append(machine.pop_to_mark()),
    "SETITEM": lambda machine, _: machine.set_items([machine.pop(), machine.pop()][::-1]),
    "SETITEMS": lambda machine, _: machine.set_items(machine.pop_to_mark()),
    "GLOBAL": lambda machine, argument: machine.name(*argument.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: machine.name(*[machine.pop(str), machine.pop(str)][::-1]),
    "REDUCE": _Machine.call,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.load,
}
