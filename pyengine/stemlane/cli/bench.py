# SPDX-License-Identifier: MIT
"""The command `stemlane bench`."""

import argparse
import json

from stemlane.cli.output import say_lines
from stemlane.cli.parser import Group, add_command

_EXAMPLES = """
  stemlane bench
  stemlane bench --against spleeter:/path/to/its/python --json
"""


def add(commands: Group) -> None:
    """Add the command."""
    parser = add_command(commands, "bench", run, "Measure speed, start-up and memory on this machine.", _EXAMPLES)
    parser.add_argument(
        "--against", action="append", metavar="NAME:PYTHON",
        help="measure against an original instead, spleeter or htdemucs, installed for the Python of that path; "
        "repeat for more",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Measure and print."""
    from stemlane.bench import against, speed
    from stemlane.cli.progress import StageProgress

    with StageProgress() as report:
        numbers = against.run(options.against, report) if options.against else speed.run(report)
    say_lines(json.dumps(numbers, indent=2) if options.json else speed.as_text(numbers))
    return 0
