# SPDX-License-Identifier: MIT
"""The commands `stemlane models …`: parses their arguments, calls the library, prints.

Modules are imported inside the commands, so that `stemlane --help` is instant.
"""

import argparse
import sys
from pathlib import Path

from stemlane.cli import combining
from stemlane.cli.output import say
from stemlane.cli.parser import Group, add_command, add_group, given
from stemlane.errors import ModelError

_EXAMPLES = """
  stemlane models list --available                   what can be added, with stems and licences
  stemlane models add spleeter:4stems
  stemlane models add htdemucs
  stemlane models add mdx --from UVR-MDX-NET-Inst_HQ_3.onnx
  stemlane models add scnet --from SCNet-large_starrytong_fixed.ckpt
  stemlane models add UVR-MDX-NET-Inst_HQ_3.onnx     the kind of weights, by the file's name
  stemlane models combine best --mean vocals=mix:2,scnet --mean drums=scnet --min bass=mix,scnet
  stemlane models combine chain --mean vocals=kim --then --mean drums=mix --mean bass=mix
  stemlane models show spleeter-4stems
  stemlane models verify spleeter-4stems
"""


def add(commands: Group) -> None:
    """Add the commands."""
    models = add_group(commands, "models", "List, show, verify, add and remove models.", _EXAMPLES)
    listing = add_command(models, "list", _list, "List the models that can be used.", _EXAMPLES)
    which = listing.add_mutually_exclusive_group()
    which.add_argument("--available", action="store_true", help="list the models that can be added instead")
    which.add_argument("--added", action="store_true", help="list only the models you have added")
    listing.add_argument("--names", action="store_true", help="print only names, one per line, for scripts")
    listing.add_argument(
        "--json", action="store_true", help="print one JSON line per model: those you can use, then those you can add"
    )
    add_command(models, "show", _show, "Show what a model states about itself.", _EXAMPLES).add_argument(
        "name", metavar="NAME"
    )
    add_command(models, "verify", _verify, "Check a model's files, tensors and known output.", _EXAMPLES).add_argument(
        "name", metavar="NAME"
    )
    add_command(models, "remove", _remove, "Remove a model that was added.", _EXAMPLES).add_argument(
        "name", metavar="NAME"
    )
    _add_adding(models)
    combining.add(models)


def _add_adding(models: Group) -> None:
    adding = add_command(
        models, "add", _add, "Fetch, check and convert a model of another project, or copy one of your own.", _EXAMPLES
    )
    adding.add_argument(
        "source",
        type=given,
        metavar="SOURCE",
        help="spleeter:2stems, spleeter:4stems, spleeter:5stems (also with -16kHz), open-unmix:umx, open-unmix:umxhq, "
        "open-unmix:umxl, htdemucs, htdemucs_ft, htdemucs_6s, mdx, mdx23c, scnet, roformer, a file of weights (.onnx, "
        ".th, .safetensors, .ckpt, with its .yaml beside it, Spleeter's .tar.gz), or a folder with a manifest.toml",
    )
    adding.add_argument(
        "--from",
        dest="location",
        type=given,
        metavar="PATH_OR_URL",
        help="take the weights from here; STEMLANE_MIRROR names a mirror of all official files",
    )
    adding.add_argument("--name", metavar="NAME", help="what to call the model")
    adding.add_argument(
        "--accept-licence",
        action="store_true",
        help="accept restrictions on the use of the weights without being asked",
    )
    adding.add_argument("--json", action="store_true", help="print progress and outcome as JSON lines")
    adding.add_argument("--force", action="store_true", help="replace a model of the same name")
    adding.add_argument(
        "--extension",
        default="zeros",
        metavar="zeros|average",
        help="Spleeter above 11 kHz (16 kHz): zeros leaves that band in the residual, average extends the mean of the "
        "mask below it (default: %(default)s)",
    )
    adding.add_argument(
        "--wiener", dest="wiener_iterations", type=int, metavar="N",
        help="iterations of the multichannel Wiener filter (default: 1 for Open-Unmix, 0 for Spleeter)",
    )  # fmt: skip
    _add_network_options(adding)


def _add_network_options(adding: argparse.ArgumentParser) -> None:
    """What is said of networks that do not say it themselves."""
    adding.add_argument(
        "--config", type=Path, metavar="FILE.yaml",
        help="training configuration of the checkpoint, for roformer, mdx23c, and scnet in an unpublished size",
    )  # fmt: skip
    adding.add_argument(
        "--stem",
        metavar="NAME",
        help="what a network of mdx, mdx23c or roformer outputs, if that is not known: vocals, drums, bass, guitar, "
        "piano, other, instrumental, lead-vocals, karaoke, reverb, no-reverb, crowd or no-crowd",
    )
    adding.add_argument(
        "--stitching", default="own", metavar="own|reference",
        help="how segments of roformer, mdx23c and scnet overlap and are joined in files: our way, or that of the "
        "trainer's own program, for the same stems as there (default: %(default)s)",
    )  # fmt: skip
    _add_mdx(adding)


def _add_mdx(adding: argparse.ArgumentParser) -> None:
    mdx = adding.add_argument_group("mdx networks that are not in the table of known ones, or to override it")
    mdx.add_argument("--n-fft", dest="fft_samples", type=int, metavar="N", help="FFT length in samples")
    mdx.add_argument(
        "--compensation", type=float, metavar="X", help="factor applied to the output (default: from the table, else 1)"
    )
    mdx.add_argument(
        "--denoise",
        dest="both_signs",
        action="store_true",
        help="run the network on the negated input too, which cancels its own noise; twice the work",
    )


def _list_json(*, available: bool, added: bool) -> int:
    from stemlane.catalog.available import available_models
    from stemlane.catalog.listing import available_fields, installed_fields
    from stemlane.cli.progress import say_json
    from stemlane.manifests.registry import list_models, user_folder

    here = list_models()
    for listing in () if available else here:
        if not added or listing.folder.parent == user_folder():
            say_json(installed_fields(listing))
    for entry in () if added else available_models():
        say_json(available_fields(entry, {listing.name for listing in here}))
    return 0


def _list_available(*, names: bool) -> int:
    from stemlane.catalog.available import available_models, source_names
    from stemlane.manifests.registry import list_models

    if names:
        for name in source_names():
            say(name)
        return 0
    there = {listing.name for listing in list_models()}
    entries = available_models()
    width = max(len(entry.source) for entry in entries) + 2
    for entry in entries:
        note = ", already added" if entry.model_name in there else ""
        best, *shorter = (f"{seconds:g} s" for seconds in entry.latency_seconds)
        windows = f"{best}, with shorter windows {' or '.join(shorter)}" if shorter else best
        say(f"{entry.source:<{width}}{', '.join(entry.stems)}; {entry.licence.cited}{note}")
        say(f"{'':<{width}}{entry.megabytes} MB, latency {windows}; {entry.quality}")
    say(f"{'scnet':<{width}}four stems, with --from FILE.ckpt: SCNet, SCNet large and XL")
    say(f"{'roformer':<{width}}with --from FILE.ckpt --config FILE.yaml: BS-RoFormer, Mel-Band RoFormer")
    say(f"{'mdx23c':<{width}}with --from FILE.ckpt --config FILE.yaml: MDX23C")
    say(f"{'mdx':<{width}}one stem and the rest, with --from FILE.onnx: MDX-Net, karaoke, reverb and crowd networks")
    return 0


def _list(options: argparse.Namespace) -> int:
    if not options.names:  # which shells ask for at each press of a key
        from stemlane.catalog.install import refresh_index

        refresh_index()  # what is listed here is in the plugin's menu, too
    if options.json:
        if options.names:
            options.refuse("--names and --json are two forms of one list: leave one out")
        return _list_json(available=options.available, added=options.added)
    if options.available:
        return _list_available(names=options.names)

    from stemlane.catalog.licences import licence_of
    from stemlane.manifests.registry import ALIASES, list_models, user_folder
    from stemlane.manifests.stem_names import stem_names

    listings = list_models()
    if not listings:
        raise ModelError("no model is installed; install the stemlane package again")
    if options.added:
        listings = [listing for listing in listings if listing.folder.parent == user_folder()]
    if options.names:
        found = {listing.name for listing in listings if listing.manifest or options.added}
        for name in sorted(found if options.added else {*ALIASES, *found}):
            say(name)
        return 0
    rows = []
    for listing in listings:
        aliases = [alias for alias, name in ALIASES.items() if name == listing.name]
        text = f"unusable: {listing.problem}"
        if manifest := listing.manifest:
            numbers = f"{', '.join(stem_names(manifest))} at {manifest.sample_rate} Hz, version {manifest.version}"
            text = f"{manifest.title}: {numbers}; {licence_of(manifest).cited}"
        rows.append((" ".join([listing.name, *(f"({alias})" for alias in aliases)]), text))
    width = max((len(joined) for joined, _ in rows), default=0)
    for joined, text in rows:
        say(f"{joined:<{width}}  {text}")
    return 0


def _show(options: argparse.Namespace) -> int:
    from stemlane.catalog.explain import explain
    from stemlane.manifests.registry import find_model

    rows = explain(find_model(options.name))
    for label, value in rows.items():
        say(f"{label:<14} {value}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    from stemlane.catalog.install import verify

    manifest = verify(options.name)
    say(f"{manifest.name}: ok" + ", gives the known output" * bool(manifest.self_test))
    return 0


def _add(options: argparse.Namespace) -> int:
    from stemlane.catalog.explain import latency_text
    from stemlane.catalog.install import add_model
    from stemlane.catalog.licences import licence_rows
    from stemlane.catalog.sources import check_accepted, source_of_file
    from stemlane.cli.progress import JsonProgress, StageProgress, say_json

    if (
        options.location is None
        and Path(options.source).is_file()
        and (of_file := source_of_file(Path(options.source)))
    ):
        options.location = options.source
        options.source, config = of_file
        options.config = options.config or config
    ask = _tells if options.json else _agrees
    check_accepted(options.source, options.location, lambda question: options.accept_licence or ask(question))

    with JsonProgress() if options.json else StageProgress() as report:
        added = add_model(
            options.source,
            location=options.location,
            name=options.name,
            force=options.force,
            measure=True,
            report=report,
            mask_extension=options.extension,
            wiener_iterations=options.wiener_iterations,
            stem=options.stem,
            fft_samples=options.fft_samples,
            compensation=options.compensation,
            both_signs=options.both_signs,
            config=options.config,
            stitching=options.stitching,
        )
    if options.json:
        say_json({"added": [{"name": manifest.name, "title": manifest.title} for manifest in added]})
        return 0
    first = added[0]
    rows = {
        "note": first.note, **licence_rows(first), "origin": first.origin, "training data": first.training_data,
    }  # fmt: skip
    for label, text in rows.items():
        if text:
            say(f"{label:<14} {text}")
    for manifest in added:
        say(f"{'added':<14} {manifest.name}: {manifest.title}, {latency_text(manifest)}")
    return 0


def _tells(question: str) -> bool:
    """Tell a program what is to be agreed to; it asks the user and comes back with --accept-licence."""
    from stemlane.cli.progress import say_json

    say_json({"question": question})
    return False


def _agrees(question: str) -> bool:
    """Ask at the terminal; without one nobody agrees."""
    if not sys.stdin.isatty():
        raise ModelError(f"{question} Say so with --accept-licence")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _remove(options: argparse.Namespace) -> int:
    from stemlane.catalog.install import remove_model

    say(str(remove_model(options.name)))
    return 0
