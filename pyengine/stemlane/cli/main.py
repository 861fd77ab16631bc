# SPDX-License-Identifier: MIT
"""The command line. It parses, calls the library, prints; problems are one line on standard error and a non-zero exit.

Modules are imported inside the commands, so that `stemlane --help` is instant.
"""

import argparse
import json
import os
import sys

from stemlane import __version__
from stemlane.cli import models as cli_models
from stemlane.cli import process as cli_process
from stemlane.errors import StemlaneError, one_line


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    with cli_process.StopSignals() as stop:
        try:
            cli_process.open_standard_streams()
            options = _parser().parse_args(arguments)
            status = options.run(options) or 0
            cli_process.flush_output()
            return status
        except BrokenPipeError:
            cli_process.drop_output()
            return 1
        except (Exception, KeyboardInterrupt) as error:
            if stop.received:  # whatever a library has made of it
                _problem("interrupted")
                return 128 + stop.received
            if isinstance(error, StemlaneError):
                return _problem(one_line(error))
            if os.environ.get("STEMLANE_DEBUG"):
                raise
            if isinstance(error, OSError) and error.filename is not None and error.strerror:
                return _problem(f"{os.fsdecode(error.filename)}: {error.strerror}")
            return _problem(f"unexpected: {one_line(error)} (STEMLANE_DEBUG=1 shows where)")


def _problem(text: str) -> int:
    print(f"stemlane: {text}", file=sys.stderr)
    return 1


def _warn(warnings: list[str]) -> None:
    for text in warnings:
        print(f"stemlane: warning: {text}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stemlane", description="Separates music into stems.")
    parser.add_argument("--version", action="version", version=f"stemlane {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(parent, name, run, text):
        added = parent.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    def group(name, text):
        return commands.add_parser(name, help=text, description=text).add_subparsers(required=True, metavar="COMMAND")

    separate = command(commands, "separate", _separate, "Write the stems of audio files.")
    separate.add_argument("inputs", nargs="+", type=cli_process.given, metavar="INPUT", help="audio file")
    separate.add_argument(
        "-o", "--output", required=True, type=cli_process.given, metavar="DIR",
        help="stems go to DIR/<input name>/<stem>.<format>",
    )  # fmt: skip
    separate.add_argument(
        "--model", default="default", metavar="NAME", help="see 'stemlane models list' (default: %(default)s)"
    )
    separate.add_argument("--stems", type=_names, metavar="A,B", help="only these stems")
    separate.add_argument(
        "--format", default="wav", metavar="FORMAT", help="wav (32-bit float), flac (24 bit) or ogg; default: wav"
    )

    separate.add_argument(
        "--shifts",
        type=int,
        default=0,
        metavar="N",
        help="for htdemucs models: average N passes, each shifted by up to half a second, for N times the work",
    )

    render = command(commands, "render", _render, "Write one file mixed anew with a gain for every stem.")
    render.add_argument("input", type=cli_process.given, metavar="INPUT", help="audio file")
    render.add_argument(
        "-o", "--output", required=True, type=cli_process.given, metavar="OUT",
        help="file to write: .wav, .flac or .ogg",
    )  # fmt: skip
    render.add_argument(
        "--gain",
        action="append",
        default=[],
        metavar="STEM=DB",
        help="like vocals=-inf or drums=+3; repeat for more stems",
    )
    render.add_argument(
        "--automation",
        type=cli_process.given,
        metavar="FILE",
        help='JSON list of {"time": seconds, "stem": name or "output", "gain_db": number}',
    )
    render.add_argument(
        "--model", default="default", metavar="NAME", help="see 'stemlane models list' (default: %(default)s)"
    )

    cli_models.add_commands(group("models", "List, show, verify, add and remove models."), command)

    plugin = group("plugin", "Install the plugin for this user, or say where it is.")
    install = command(plugin, "install", _plugin_install, "Install the plugin, with all it needs, for this user.")
    install.add_argument(
        "--link", action="store_true",
        help="for developers: let its engine run this Python and this package, which must then stay where they are",
    )  # fmt: skip
    bundle = command(plugin, "bundle", _plugin_bundle, "Write a plugin that needs nothing else, to be copied anywhere.")
    bundle.add_argument("folder", type=cli_process.given, metavar="DIR", help="Stemlane.vst3 is written into it")
    command(plugin, "uninstall", _plugin_uninstall, "Remove the installed plugin.")
    command(plugin, "path", _plugin_path, "Print the path of the plugin that came with the package.")

    bench = command(commands, "bench", _bench, "Measure speed, start-up and memory on this machine.")
    bench.add_argument(
        "--against", action="append", metavar="NAME:PYTHON",
        help="measure against an original instead, spleeter or htdemucs, installed for the Python of that path; "
        "repeat for more",
    )  # fmt: skip
    bench.add_argument("--json", action="store_true", help="print JSON")
    evaluate = command(commands, "evaluate", _evaluate, "Measure separation against true stems.")
    evaluate.add_argument(
        "folder", type=cli_process.given, metavar="DIR",
        help="folder of songs, each a folder with vocals.wav, drums.wav, …",
    )  # fmt: skip
    evaluate.add_argument(
        "--model", action="append", metavar="NAME", help="repeat for more models (default: all embedded ones)"
    )
    evaluate.add_argument(
        "--window", action="append", type=float, metavar="SECONDS",
        help="measure the models' windows of that length too, and how far their stems are from the models' own; repeat",
    )  # fmt: skip
    evaluate.add_argument("--json", action="store_true", help="print JSON")
    doctor = command(commands, "doctor", _doctor, "Check that everything Stemlane needs is in place.")
    doctor.add_argument(
        "--report", type=cli_process.given, metavar="FILE",
        help="write what a bug report needs to FILE (.zip): versions, logs and states; no audio, no names of users",
    )  # fmt: skip
    return parser


def _names(text: str) -> list[str]:
    return [name.strip() for name in cli_process.given(text.strip(" ,")).split(",") if name.strip()]


def _separate(options) -> int:
    from stemlane.cli.progress import Progress
    from stemlane.engine.separator import Separator
    from stemlane.files import offline
    from stemlane.files.audio import AudioInput, check_format

    check_format(options.format)
    folders = offline.output_folders(options.inputs, options.output)
    separator = Separator(options.model, shifts=options.shifts)
    offline.choose_stems(separator, options.stems)
    lengths = []
    for path in options.inputs:  # all of them before the work begins
        with AudioInput(path) as source:
            lengths.append(source.num_samples)
    for path, folder, num_samples in zip(options.inputs, folders, lengths, strict=True):
        with Progress(os.path.basename(path), num_samples) as progress:
            warnings = offline.separate_file(
                path, folder, separator, stems=options.stems, file_format=options.format, progress=progress
            )
        _warn(warnings)
        print(folder)
    return 0


def _render(options) -> int:
    from stemlane.cli.progress import Progress
    from stemlane.files import offline
    from stemlane.files.audio import AudioInput
    from stemlane.mix import mixdown

    gains = mixdown.parse_gain_options(options.gain)
    automation = mixdown.read_automation(options.automation) if options.automation else None
    with AudioInput(options.input) as source:
        num_samples = source.num_samples
    with Progress(os.path.basename(options.input), num_samples) as progress:
        warnings = offline.render_file(
            options.input, options.output, gains=gains, automation=automation, model=options.model, progress=progress
        )
    _warn(warnings)
    print(options.output)
    return 0


def _plugin_install(options) -> int:
    from stemlane.plugin import install, places

    if not options.link:
        print(install.install())
        return 0
    print(install.install_linked())
    _warn([f"it stops working when {places.this_python()} or its packages move; without --link they are copied"])
    return 0


def _plugin_bundle(options) -> int:
    from stemlane.plugin import install

    print(install.make_bundle(options.folder))
    return 0


def _plugin_uninstall(options) -> int:
    from stemlane.plugin import install

    print(install.uninstall())
    return 0


def _plugin_path(options) -> int:
    from stemlane.plugin import places

    print(places.plugin_path())
    return 0


def _bench(options) -> int:
    from stemlane.bench import bench
    from stemlane.cli.progress import StageProgress

    if options.against:
        from stemlane.bench import against as bench_against

        with StageProgress() as report:
            numbers = bench_against.run(options.against, report)
    else:
        with StageProgress() as report:
            numbers = bench.run(report)
    print(json.dumps(numbers, indent=2) if options.json else bench.as_text(numbers))
    return 0


def _evaluate(options) -> int:
    from stemlane.cli.progress import StageProgress
    from stemlane.evaluation import evaluate
    from stemlane.evaluation import text as evaluate_text

    with StageProgress() as report:
        songs = evaluate.run(options.folder, options.model, options.window, report)
    print(json.dumps(songs, indent=2, default=vars) if options.json else evaluate_text.as_text(songs))
    return 0


def _doctor(options) -> int:
    from stemlane import doctor

    checks = doctor.run()
    lines = doctor.lines(checks)
    print("\n".join(lines))
    if options.report:
        from stemlane import support_report

        support_report.write(options.report, lines)
        print(options.report)
    return 0 if all(check.ok for check in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
