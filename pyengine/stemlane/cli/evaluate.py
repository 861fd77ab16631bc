# SPDX-License-Identifier: MIT
"""The command `stemlane evaluate`."""

import argparse

from stemlane.cli.output import say_lines, warn
from stemlane.cli.parser import Group, add_command, add_provider, given, model_name
from stemlane.json_text import json_text

_EXAMPLES = """
  stemlane evaluate songs                            songs/*/vocals.wav, drums.wav, …
  stemlane evaluate songs --model mix --model htdemucs --json
  stemlane evaluate songs --model spleeter-4stems --window 1.5
"""


def add(commands: Group) -> None:
    """Add the command."""
    parser = add_command(commands, "evaluate", run, "Measure separation against true stems.", _EXAMPLES)
    parser.add_argument(
        "folder",
        type=given,
        metavar="DIR",
        help="folder of songs, each a folder with vocals.wav, drums.wav, …, or a .stem.mp4",
    )
    parser.add_argument(
        "-m",
        "--model",
        action="append",
        type=model_name,
        metavar="NAME",
        help="model to measure; repeat for more (default: all embedded ones)",
    )
    parser.add_argument(
        "--window", action="append", type=float, metavar="SECONDS",
        help="also measure each model's window of that length, and how far its stems are from the model's own; repeat "
        "for more",
    )  # fmt: skip
    add_provider(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Measure and print."""
    from stemlane.cli.progress import StageProgress
    from stemlane.evaluation import comparison
    from stemlane.evaluation.tables import as_text

    with StageProgress() as report:
        songs = comparison.run(options.folder, options.model, options.window, report, warn=warn)
    say_lines(json_text(songs, indent=2, default=vars) if options.json else as_text(songs))
    return 0
