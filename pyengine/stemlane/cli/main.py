# SPDX-License-Identifier: MIT
"""The command line. It parses, calls the library, prints; problems are one line on standard error and a non-zero exit.

Group import what they need when they run, so that `stemlane --help` is instant.
"""

import argparse
import contextlib
import os
import sys
import warnings
from collections.abc import Iterator

from stemlane import __version__
from stemlane.cli import bench, completion, doctor, evaluate, help_text, models, plugin, process, render, separate
from stemlane.cli.output import tell, warn
from stemlane.cli.parser import Parser
from stemlane.contract import PROVIDER_VARIABLE
from stemlane.errors import OUT_OF_MEMORY, StemlaneError, StemlaneWarning, one_line

_COMMANDS = (separate, render, models, plugin, bench, evaluate, doctor)
# Where the engine looks for what a command was given: `engine/providers.py`, and `available_threads` in `session.py`.
_VARIABLES = {"provider": PROVIDER_VARIABLE, "threads": "OMP_NUM_THREADS"}
_HINTS = {  # by option, of arguments that nothing takes
    "--stems": "separate stems with commas, like --stems vocals,drums",
    "--gain": "write STEM=GAIN, like --gain vocals=-inf",
    "--focus": "write STEM=PERCENT, like --focus vocals=70",
}
_EXAMPLES = """
  stemlane separate song.flac                        stems/song/vocals.wav, drums.wav, …
  stemlane render song.flac -o karaoke.wav --gain vocals=-inf
  stemlane models list --available                   what else can be added
  stemlane help separate                             every option of a command
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    with process.StopSignals() as stop:
        try:
            process.open_standard_streams()
            try:
                if os.environ.get("STEMLANE_DEBUG"):
                    _log_everything()
                options = _parsed(arguments)
                with _loading(options), warnings.catch_warnings():
                    warnings.simplefilter("always", StemlaneWarning)
                    warnings.showwarning = lambda message, *_: warn(str(message))
                    status: int = options.run(options) or 0
            except SystemExit:  # after a help text or a wrong argument
                process.flush_output()
                raise
            process.flush_output()
            return status
        except BrokenPipeError:
            process.drop_output()
            return 1
        except (Exception, KeyboardInterrupt) as error:
            if stop.received:  # whatever a library has made of it
                tell("interrupted")
                return 128 + stop.received
            if os.environ.get("STEMLANE_DEBUG") and not isinstance(error, StemlaneError):
                raise
            tell(_text(error))
            return 1


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The options of a command; what it does not take is refused by the command itself, with what may be meant."""
    options, rest = build_parser().parse_known_args(arguments)
    if rest:
        given = sys.argv[1:] if arguments is None else arguments
        hints = [hint for option, hint in _HINTS.items() if option in given]
        if not hints and not any(text.startswith("-") for text in rest):
            hints = ["put all inputs together, before or after the options"]
        options.refuse("; ".join([f"unrecognized arguments: {' '.join(rest)}", *hints]))
    return options


@contextlib.contextmanager
def _loading(options: argparse.Namespace) -> Iterator[None]:
    """Ask for the provider and the threads that a command was given, here and in the processes it starts."""
    given = {name: str(getattr(options, option, None) or "") for option, name in _VARIABLES.items()}
    given = {name: value for name, value in given.items() if value}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _log_everything() -> None:
    import logging

    logging.basicConfig()
    logging.getLogger("stemlane").setLevel(logging.DEBUG)


def _text(error: BaseException) -> str:
    if isinstance(error, StemlaneError):
        return one_line(error)
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    if isinstance(error, MemoryError):
        return OUT_OF_MEMORY
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return f"unexpected: {one_line(error)} (STEMLANE_DEBUG=1 shows where)"


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser: argparse.ArgumentParser = Parser(
        prog="stemlane", description="Separates music into stems.", epilog=f"examples:{_EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"stemlane {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    completion.add(commands, parser)
    help_text.add(commands, parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
