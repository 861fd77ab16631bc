# SPDX-License-Identifier: MIT
"""The command `stemlane separate`: its arguments, and what it says while it works."""

import argparse
import os
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stemlane.cli import recordings as cli_recordings
from stemlane.cli.output import say, tell, warn
from stemlane.cli.parser import Group, add_command, add_focus, add_model, given, names, seconds
from stemlane.cli.stem_values import stem_values
from stemlane.errors import InputError

if TYPE_CHECKING:
    from stemlane.files.addresses import Place
    from stemlane.files.batch import Batch
    from stemlane.files.names import Recording
    from stemlane.files.request import Request
    from stemlane.files.separating import Outcome

_EXAMPLES = """
  stemlane separate song.flac                        stems/song/vocals.wav, drums.wav, …
  stemlane separate Music -j 2 --skip-existing       two songs at a time; run again to resume
  stemlane separate song.mp3 --two-stems vocals --format mp3
  stemlane separate clip.mp4 --start 60 --duration 30 --stems drums,bass
  stemlane separate *.wav --name '{stem}/{track}.{ext}' --format flac --bits 16
  stemlane separate song.flac --stem-file --bits 24  stems/song.stem.mp4, for DJ programs
  stemlane separate -p spleeter:4stems -o out song.mp3
  find . -name '*.mp3' -print0 | stemlane separate --from-list - -o stems --json
  stemlane separate s3://music/in -o s3://music/stems --dask tcp://host:8786 --skip-existing
  ffmpeg -i song.mkv -f wav - | stemlane separate - --stems vocals -o - > vocals.wav
"""
_CLUSTER_RETRIES = 2
_LONGEST_ALIGNED = 40  # characters: a longer name does not push the reasons of all others to the right


def add(commands: Group) -> None:
    """Add the command."""
    parser = add_command(commands, "separate", run, "Write the stems of audio and video files.", _EXAMPLES)
    parser.add_argument(
        "inputs", nargs="*", type=given, metavar="INPUT",
        help="audio or video file, folder (searched recursively), pattern, address such as s3://bucket/in, or - for "
        "standard input",
    )  # fmt: skip
    parser.add_argument(
        "--from-list",
        type=given,
        metavar="FILE",
        help="read more inputs from a list, one per line; - is standard input",
    )
    _add_output(parser.add_argument_group("output"))
    _add_choice(parser.add_argument_group("separation"))
    work = parser.add_argument_group("running")
    workers = work.add_mutually_exclusive_group()
    workers.add_argument("-j", "--jobs", type=int, default=1, metavar="N", help="separate N recordings at a time")
    workers.add_argument(
        "--dask", type=given, metavar="SCHEDULER",
        help="separate on the workers of a Dask cluster, such as tcp://host:8786; they must see the same files",
    )  # fmt: skip
    work.add_argument(
        "--retries", type=int, metavar="N",
        help="retry a failed recording up to N times, after 1, 2, 4, … seconds (default: 0; with --dask 2)",
    )  # fmt: skip
    work.add_argument("--status", type=given, metavar="FILE", help="append a JSON line to FILE for every attempt")
    work.add_argument(
        "--overwrite", action="store_true",
        help="replace whatever is there; without it, only stems of the same recording and part are replaced",
    )  # fmt: skip
    work.add_argument(
        "--skip-existing", action="store_true",
        help="skip recordings that already have stems made from the same recording, model and options",
    )  # fmt: skip
    work.add_argument("--json", action="store_true", help="print one JSON line per recording")
    work.add_argument(
        "--progress", action="store_true",
        help="with --json: print lines of progress, too, and read the waveforms of what is skipped",
    )  # fmt: skip
    loudness = work.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="print only warnings and failures")
    loudness.add_argument("-v", "--verbose", action="store_true", help="print how long each recording took")


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "-o", "--output", default="stems", type=given, metavar="DIR",
        help="folder or address for the stems (default: %(default)s); - writes one stem to standard output, as WAV",
    )  # fmt: skip
    group.add_argument(
        "--name", default="{track}/{stem}.{ext}", type=given, metavar="TEMPLATE",
        help="file names below DIR, of text and {track} (the input's name), {parent} (its folder), {type} (its "
        "extension), {stem}, {ext} (the stem's extension), {model} (default: %(default)s)",
    )  # fmt: skip
    group.add_argument("--format", metavar="FORMAT", help="wav, flac, mp3, ogg, opus or m4a (default: wav)")
    group.add_argument(
        "--stem-file", action="store_true",
        help="write one .stem.mp4 per recording, for DJ programs: the mixture, drums, bass, other (everything else), "
        "vocals; AAC, or ALAC with --bits 16 or 24",
    )  # fmt: skip
    group.add_argument("--bits", metavar="16|24|32f", help="default: 32f (float) for wav, 24 for flac; 16 is dithered")
    group.add_argument(
        "--bitrate", type=int, metavar="KBPS",
        help="default: 320 for mp3, 256 for m4a and the streams of a stem file, 192 for opus; half of that for mono",
    )  # fmt: skip
    group.add_argument(
        "--clip", default="report", metavar="report|rescale|clamp",
        help="peaks above full scale that the format cannot hold: report clips them with a warning, rescale turns all "
        "stems of the recording down, clamp clips in every format (default: %(default)s)",
    )  # fmt: skip


def _add_choice(group: argparse._ArgumentGroup) -> None:
    add_model(group)
    group.add_argument("--stems", type=names, metavar="A,B", help="write only these stems")
    group.add_argument(
        "--two-stems",
        type=given,
        metavar="STEM",
        help="write this stem and the sum of the others; vocals gives vocals and instrumental",
    )
    group.add_argument("--start", type=seconds, default=0.0, metavar="TIME", help="start there: seconds, or like 1:30")
    group.add_argument("--duration", type=seconds, metavar="TIME", help="stop after that long, in the same way")
    group.add_argument(
        "--shifts", type=int, default=0, metavar="N",
        help="for htdemucs models: average N passes, each shifted by up to half a second, for N times the work",
    )  # fmt: skip
    add_focus(group)


def run(options: argparse.Namespace) -> int:
    """Separate every input; those that fail are listed in the end."""
    from stemlane.engine.separator import Separator
    from stemlane.files.addresses import place
    from stemlane.files.batch import Batch
    from stemlane.files.search import find_recordings
    from stemlane.manifests.registry import find_model

    if options.stem_file and options.format:
        options.refuse("--stem-file has a format of its own: leave out --format")
    if options.progress and not options.json:
        options.refuse("--progress is for programs and needs --json; people get a bar on a terminal")
    if options.dask and options.threads:
        options.refuse("--threads is for this machine: give the cluster's workers OMP_NUM_THREADS")
    request = _request(options)
    find_model(options.model)  # before standard input is read
    wanted = [*options.inputs, *(cli_recordings.listed(options.from_list) if options.from_list else ())]
    if not wanted:
        options.refuse("nothing to separate: name a file or folder")
    if options.dask and cli_recordings.STREAM in (*wanted, options.output):
        raise InputError("- is a stream of this machine, which a cluster does not see; name a file or folder")
    with ExitStack() as stack:
        inputs = stack.enter_context(cli_recordings.input_files(wanted))
        to_stream = options.output == cli_recordings.STREAM
        if to_stream:
            options.output = stack.enter_context(tempfile.TemporaryDirectory(prefix="stemlane-"))
        folder = place(options.output)
        left_out: list[Place] = []
        found = find_recordings(inputs, leave_out=folder, left_out=left_out)
        if left_out and not (options.quiet or options.json):
            tell(f"stems of earlier runs are left out: {len(left_out)}, such as {left_out[0]}; name them to take them")
        copies = {path: Path(name) for path, name in inputs.items() if path != name}
        found = [replace(recording, given=copies.get(str(recording.path))) for recording in found]
        focus = stem_values(options.focus, "focus")
        separator = stack.enter_context(Separator(options.model, shifts=options.shifts, focus=focus))
        num_files = len(found) * len(request.shares(separator))
        if to_stream and (num_files != 1 or request.encoding.file_format != "wav" or options.json):
            raise InputError("-o - takes one recording and one stem, as WAV and without --json; name it with --stems")
        retries = options.retries if options.retries is not None else _CLUSTER_RETRIES if options.dask else 0
        batch = Batch(
            found, folder, separator, request, skip_existing=options.skip_existing, overwrite=options.overwrite,
            jobs=options.jobs, dask=options.dask, retries=retries, status=options.status,
        )  # fmt: skip
        batch.prepare()
        if options.verbose:
            workers = f"by {options.dask}" if options.dask else f"{options.jobs} at a time"
            tell(f"{separator!r}, {_counted(len(found))}, {workers}, on {separator.provider}")
        outcomes = _run(batch, options, prints=not to_stream)
        if to_stream and not outcomes[0].problem:
            cli_recordings.send(next(iter(outcomes[0].outputs.values())))
    return _sum_up(outcomes, options)


def _request(options: argparse.Namespace) -> "Request":
    from stemlane.files.formats import STEM_FILE
    from stemlane.files.request import Request

    return Request.of(
        stems=options.stems, two_stems=options.two_stems, name=options.name,
        file_format=STEM_FILE if options.stem_file else options.format or "wav",
        bits=options.bits, bitrate=options.bitrate, start_seconds=options.start, duration_seconds=options.duration,
        clip=options.clip,
    )  # fmt: skip


def _run(batch: "Batch", options: argparse.Namespace, *, prints: bool) -> "list[Outcome]":
    """Separate, with a bar for the whole batch and a line for every recording."""
    from stemlane.cli.progress import JsonProgress, Progress

    lines = JsonProgress() if options.progress else None
    num_done, shares = 0, dict.fromkeys((recording.shown for recording in batch.recordings), 0.0)
    with Progress("separate", len(batch.recordings), quiet=options.quiet or options.json) as bar:

        def progress(recording: "Recording", share: float) -> None:
            shares[recording.shown] += share
            count = f"[{num_done + 1}/{len(shares)}] " if len(shares) > 1 else ""
            bar.label = count + recording.shown.name
            bar(share)
            if lines:
                lines(str(recording.shown), round(shares[recording.shown], 4), 1.0)

        def report(outcome: "Outcome") -> None:
            nonlocal num_done
            num_done += 1
            bar(1.0 - shares[outcome.path])
            bar.clear()
            _say_outcome(outcome, options, prints=prints)

        return batch.run(report, progress)


def _say_outcome(outcome: "Outcome", options: argparse.Namespace, *, prints: bool) -> None:
    from stemlane.cli.progress import say_json
    from stemlane.files.outlines import outlines
    from stemlane.files.status import fields

    for text in outcome.warnings:
        for path in () if prints else outcome.outputs.values():  # a temporary file on its way to standard output
            text = text.replace(str(path), "standard output")
        warn(text)
    if options.json:
        say_json(fields(outcome) | {"waveforms": outlines(outcome) if options.progress else outcome.waveforms})
    elif not outcome.problem and prints and not options.quiet:
        folders = {path.parent for path in outcome.outputs.values()}
        has_its_own = not options.stem_file and os.path.dirname(options.name).endswith(("{track}", "{filename}"))
        for shown in folders if has_its_own else outcome.outputs.values():
            say(str(shown))
    if options.verbose and outcome.skipped:
        tell(f"{outcome.path}: has its stems already")
    elif options.verbose and not outcome.problem:
        speed = outcome.seconds / max(outcome.elapsed_seconds, 1e-3)
        tell(f"{outcome.path}: {outcome.seconds:.1f} s in {outcome.elapsed_seconds:.1f} s, {speed:.1f} × real time")


def _sum_up(outcomes: "list[Outcome]", options: argparse.Namespace) -> int:
    """Say what has failed, and in a batch how many were skipped; the exit status."""
    failed = [outcome for outcome in outcomes if outcome.problem]
    num_skipped = sum(outcome.skipped for outcome in outcomes)
    if len(outcomes) == 1 and failed:
        tell(failed[0].problem)
    elif failed:
        tell(f"{len(failed)} of {_counted(len(outcomes))} could not be separated:")
        lengths = [len(str(outcome.path)) for outcome in failed]
        width = max((length for length in lengths if length <= _LONGEST_ALIGNED), default=0)
        for outcome in failed:
            tell(f"  {outcome.path!s:<{width}}  {outcome.problem.removeprefix(f'{outcome.path}: ')}")
    if num_skipped and not options.quiet:
        tell(f"{num_skipped} of {_counted(len(outcomes))} had stems already")
    return 1 if failed else 0


def _counted(num_recordings: int) -> str:
    return f"{num_recordings} recording" + "s" * (num_recordings != 1)
