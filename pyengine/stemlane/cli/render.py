# SPDX-License-Identifier: MIT
"""The command `stemlane render`."""

import argparse
import os

from stemlane.cli.output import say, warn
from stemlane.cli.parser import Group, add_command, add_model, given


def add(commands: Group) -> None:
    """Add the command."""
    parser = add_command(commands, "render", run, "Write one file mixed anew with a gain for every stem.")
    parser.add_argument("input", type=given, metavar="INPUT", help="audio or video file")
    parser.add_argument(
        "-o", "--output", required=True, type=given, metavar="OUT", help="file to write: .wav, .flac or .ogg"
    )
    parser.add_argument(
        "--gain", action="append", default=[], metavar="STEM=DB",
        help="like vocals=-inf or drums=+3; repeat for more stems",
    )  # fmt: skip
    parser.add_argument(
        "--automation", type=given, metavar="FILE",
        help='JSON list of {"time": seconds, "stem": name or "output", "gain_db": number}',
    )  # fmt: skip
    add_model(parser)


def run(options: argparse.Namespace) -> int:
    """Write the file."""
    from stemlane.cli.progress import Progress
    from stemlane.files import offline
    from stemlane.files.reading import AudioInput
    from stemlane.mix import mixdown

    gains = mixdown.parse_gain_options(options.gain)
    automation = mixdown.read_automation(options.automation) if options.automation else None
    with AudioInput(options.input) as source:
        num_samples = source.num_samples
    with Progress(os.path.basename(options.input), num_samples) as progress:
        warnings = offline.render_file(
            options.input, options.output, gains=gains, automation=automation, model=options.model, progress=progress
        )
    for text in warnings:
        warn(text)
    say(options.output)
    return 0
