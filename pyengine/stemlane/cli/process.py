# SPDX-License-Identifier: MIT
"""What a command meets outside: arguments, standard streams in whatever state they are, and how it is asked to stop."""

import codecs
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any, Self

from stemlane.errors import InputError


class StopSignals:
    """Turns the first interrupt, request to end or hang-up into KeyboardInterrupt; that removes partial files.

    A signal that was ignored before stays ignored, as `nohup` and a shell's `&` want it. Outside the main thread, which
    alone may set handlers, nothing changes.

    Attributes
    ----------
    received
        Number of the signal, or 0.
    """

    def __enter__(self) -> Self:
        self.received = 0
        self._before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # there is no SIGHUP on Windows
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._stop)
        return self

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if not self.received:  # a second one must not disturb the cleaning up
            self.received = number
            raise KeyboardInterrupt

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def open_standard_streams() -> None:
    """Put nothing in the place of closed streams, and let any name be printed in any locale.

    With a closed stream the next file would get its number, and a library's message would end up in that file.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - as long as the process
    if hasattr(sys.stdout, "reconfigure"):  # not if a caller has replaced it
        codecs.register_error("stemlane", _printable)
        sys.stdout.reconfigure(errors="stemlane")


def _printable(error: UnicodeError) -> tuple[str | bytes, int]:
    """Bytes of a file's name that are no text are printed as they are; what a locale lacks is spelled out."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.backslashreplace_errors(error)


def flush_output() -> None:
    """Write out what has been printed; `InputError` if there is no room for it. A reader that left is no error here."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_output()
        raise InputError(f"standard output: cannot be written ({error.strerror or error})") from None


def drop_output() -> None:
    """Let the flush at the exit succeed although nobody can read what is left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
