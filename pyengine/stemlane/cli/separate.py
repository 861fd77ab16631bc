# SPDX-License-Identifier: MIT
"""The command `stemlane separate`."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stemlane.cli.output import say, tell, warn
from stemlane.cli.parser import Group, add_command, add_model, given, names

if TYPE_CHECKING:
    from stemlane.files.batch import Outcome


def add(commands: Group) -> None:
    """Add the command."""
    parser = add_command(commands, "separate", run, "Write the stems of audio files.")
    parser.add_argument("inputs", nargs="+", type=given, metavar="INPUT", help="audio or video file")
    parser.add_argument(
        "-o", "--output", required=True, type=given, metavar="DIR", help="stems go to DIR/<input name>/<stem>.<format>"
    )
    add_model(parser)
    parser.add_argument("--stems", type=names, metavar="A,B", help="only these stems")
    parser.add_argument(
        "--format", default="wav", metavar="FORMAT", help="wav (32-bit float), flac (24 bit) or ogg; default: wav"
    )
    parser.add_argument(
        "--shifts", type=int, default=0, metavar="N",
        help="for htdemucs models: average N passes, each shifted by up to half a second, for N times the work",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Separate every input; those that fail are listed in the end."""
    from stemlane.cli.progress import Progress
    from stemlane.engine.separator import Separator
    from stemlane.errors import StemlaneError
    from stemlane.files.batch import prepare_batch
    from stemlane.files.reading import AudioInput
    from stemlane.files.writing import check_format

    check_format(options.format)
    separator = Separator(options.model, shifts=options.shifts)
    batch = prepare_batch(options.inputs, options.output, separator, stems=options.stems, file_format=options.format)

    def progress(path: str | Path) -> Progress:
        try:
            with AudioInput(path) as source:
                num_samples = source.num_samples
        except StemlaneError:  # is reported by the one who separates it
            num_samples = 0
        return Progress(os.path.basename(path), num_samples)

    def report(outcome: Outcome) -> None:
        for text in outcome.warnings:
            warn(text)
        if not outcome.problem:
            say(str(outcome.folder))

    outcomes = batch.run(report, progress)
    failed = [outcome for outcome in outcomes if outcome.problem]
    if len(outcomes) == 1 and failed:
        tell(failed[0].problem)
    elif failed:
        tell_table(failed, len(outcomes))
    return 1 if failed else 0


def tell_table(failed: Sequence["Outcome"], num_inputs: int) -> None:
    """Print which recordings failed, and why."""
    tell(f"{len(failed)} of {num_inputs} recordings could not be separated:")
    width = max(len(str(outcome.path)) for outcome in failed)
    for outcome in failed:
        tell(f"  {outcome.path!s:<{width}}  {outcome.problem.removeprefix(f'{outcome.path}: ')}")
