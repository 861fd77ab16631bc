# SPDX-License-Identifier: MIT
"""The command `stemlane bench`."""

import argparse
import json
from typing import Any

from stemlane.bench.originals import ORIGINALS, ROUNDS
from stemlane.cli.output import say_lines
from stemlane.cli.parser import Group, add_command, add_provider, model_name

_EXAMPLES = """
  stemlane bench
  stemlane bench --against spleeter:/path/to/its/python --json
  stemlane bench --memory 600 --memory 10800 --model mix         ten minutes and three hours
"""


def add(commands: Group) -> None:
    """Add the command."""
    parser = add_command(commands, "bench", run, "Measure speed, start-up and memory on this machine.", _EXAMPLES)
    parser.add_argument(
        "--against", action="append", metavar="NAME:PYTHON",
        help=f"compare with an original instead ({', '.join(ORIGINALS)}), installed in the Python at that path; repeat "
        "for more",
    )  # fmt: skip
    parser.add_argument(
        "--rounds", type=int, metavar="N",
        help=f"with --against: both sides run so often in turns, and the fastest counts (default: {ROUNDS})",
    )  # fmt: skip
    parser.add_argument(
        "--memory", action="append", type=float, metavar="SECONDS",
        help="measure memory and speed for a recording of that length instead; repeat for more",
    )  # fmt: skip
    parser.add_argument(
        "-m", "--model", action="append", type=model_name, metavar="NAME",
        help="with --memory: the model; repeat for more (default: what separate takes)",
    )  # fmt: skip
    add_provider(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Measure and print."""
    from stemlane.bench import against, memory, speed
    from stemlane.cli.progress import StageProgress
    from stemlane.manifests.registry import ALIASES

    if options.model and not options.memory:
        options.refuse("--model is for --memory")
    if options.rounds is not None and not options.against:
        options.refuse("--rounds is for --against")
    if options.memory and options.against:
        options.refuse("--memory and --against are measured one at a time")
    with StageProgress() as report:
        if options.memory:
            numbers: dict[str, Any] = memory.run(options.model or [ALIASES["default"]], options.memory, report)
        else:
            rounds = ROUNDS if options.rounds is None else options.rounds
            numbers = against.run(options.against, report, rounds=rounds) if options.against else speed.run(report)
    say_lines(json.dumps(numbers, indent=2) if options.json else speed.as_text(numbers))
    return int(bool(options.against) and any("problem" in found for found in numbers.values()))
