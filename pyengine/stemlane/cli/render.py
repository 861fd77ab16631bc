# SPDX-License-Identifier: MIT
"""The command `stemlane render`."""

import argparse
import os

from stemlane.cli import recordings as cli_recordings
from stemlane.cli.output import say, warn
from stemlane.cli.parser import Group, add_command, add_focus, add_model, given
from stemlane.cli.stem_values import stem_values
from stemlane.errors import InputError

_EXAMPLES = """
  stemlane render song.flac -o karaoke.wav --gain vocals=-inf
  stemlane render song.flac -o louder-drums.mp3 --gain drums=+3 --gain output=-1
  stemlane render song.flac -o mix.wav --automation faders.csv
  stemlane render song.flac -o mix.wav --automation faders.mid --cc vocals=20 --cc drums=21
  stemlane render song.flac -o mix.wav --automation song.rpp
  stemlane render song.stem.mp4 -o instrumental.wav --gain vocals=-inf
  stemlane render - -o - --gain vocals=-inf < song.wav > karaoke.wav
"""


def add(commands: Group) -> None:
    """Add the command."""
    parser = add_command(commands, "render", run, "Remix one file with a gain per stem.", _EXAMPLES)
    parser.add_argument(
        "input",
        type=given,
        metavar="INPUT",
        help="audio or video file, address, or - for standard input; a .stem.mp4 is mixed from its own stems unless "
        "--model is given",
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        type=given,
        metavar="OUT",
        help="file or address to write: .wav, .flac, .mp3, .ogg, .opus or .m4a; - writes WAV to standard output",
    )
    parser.add_argument(
        "--gain", action="append", default=[], metavar="STEM=DB",
        help="like vocals=-inf or drums=+3; repeat for more stems",
    )  # fmt: skip
    parser.add_argument(
        "--automation", type=given, metavar="FILE",
        help="gains that change over time: .csv with columns time, stem, gain_db and shape (linear or stepped), .json "
        "with a list of the same, .mid with MIDI controllers, or .rpp with the volume envelopes of tracks called "
        "vocals, drums, …",
    )  # fmt: skip
    parser.add_argument(
        "--cc", action="append", metavar="STEM=NUMBER",
        help="for .mid files: the controller number of a stem; repeat for more (default: vocals=20 drums=21 bass=22 "
        "guitar=23 piano=24 other=25 output=26)",
    )  # fmt: skip
    add_focus(parser)
    add_model(parser)


def run(options: argparse.Namespace) -> int:
    """Write the file."""
    from stemlane.cli.progress import Progress
    from stemlane.files.addresses import Address, place
    from stemlane.files.places import check_place
    from stemlane.files.reading import AudioInput
    from stemlane.files.rendering import render_file
    from stemlane.files.results import on_disk
    from stemlane.manifests.registry import find_model
    from stemlane.mix.automation import read_automation

    find_model(options.model)  # before anything is fetched
    gains = stem_values(options.gain, "gain")
    focus = stem_values(options.focus, "focus")
    controllers = _controllers(options.cc) if options.cc else None
    if controllers and not options.automation:
        options.refuse("--cc says what moves the stems in a .mid: name it with --automation")
    automation = read_automation(options.automation, controllers=controllers) if options.automation else None
    recording, target = place(options.input), place(options.output)
    shown = str(recording) if isinstance(recording, Address) else options.input
    if isinstance(target, Address):  # a path is checked with the file that is read
        check_place(recording, [target])
    with (
        cli_recordings.input_files([options.input]) as inputs,
        on_disk(place(*inputs)) as path,
        cli_recordings.output_file(options.output) as output,
    ):
        with AudioInput(path, shown=shown) as source:
            num_samples = source.num_samples
        with Progress(os.path.basename(shown), num_samples) as progress:
            warnings = render_file(
                path, output, gains=gains, automation=automation, focus=focus, model=options.model, progress=progress,
                shown=shown,
            )  # fmt: skip
    for text in warnings:
        warn(text)
    if options.output != cli_recordings.STREAM:
        say(str(target) if isinstance(target, Address) else options.output)
    return 0


def _controllers(texts: list[str]) -> dict[str, int]:
    """Numbers of controllers by fader, of texts such as vocals=20."""
    controllers = {}
    for text in texts:
        name, _, number = text.partition("=")
        if not name.strip() or not number.strip().isdecimal():
            raise InputError(f"--cc {text!r}: should be like vocals=20")
        controllers[name.strip()] = int(number)
    return controllers
