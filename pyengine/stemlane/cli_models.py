# SPDX-License-Identifier: MIT
"""The commands `stemlane models …`: parses their arguments, calls the library, prints.

Modules are imported inside the commands, so that `stemlane --help` is instant.
"""

from stemlane.errors import ModelError


def add_commands(models, command) -> None:
    """Add the commands to the argument parser's group `models`, with `command(parent, name, run, text)`."""
    command(models, "list", _list, "List the models that can be used.")
    command(models, "show", _show, "Show what a model states about itself.").add_argument("name", metavar="NAME")
    command(models, "verify", _verify, "Check a model's files.").add_argument("name", metavar="NAME")
    add = command(models, "add", _add, "Fetch, check and convert a model of another project, or copy one of your own.")
    add.add_argument(
        "source",
        metavar="SOURCE",
        help="spleeter:2stems, spleeter:4stems, spleeter:5stems (also with -16kHz), open-unmix:umx, open-unmix:umxhq, "
        "open-unmix:umxl, or a folder with a manifest.toml",
    )
    add.add_argument(
        "--from",
        dest="location",
        metavar="PATH_OR_URL",
        help="take the weights from here; STEMLANE_MIRROR names another place of all official files",
    )
    add.add_argument("--name", metavar="NAME", help="name of the model here")
    add.add_argument("--force", action="store_true", help="replace models of the same name")
    add.add_argument(
        "--extension",
        default="zeros",
        metavar="zeros|average",
        help="what Spleeter's stems get above 11 kHz (16 kHz): nothing, which leaves it in the residual, or the mean "
        "of the mask below (default: %(default)s)",
    )
    command(models, "remove", _remove, "Remove a model that was added.").add_argument("name", metavar="NAME")


def _list(options) -> int:
    from stemlane.registry import ALIASES, list_models

    listings = list_models()
    if not listings:
        raise ModelError("no model is installed; install the stemlane package again")
    for listing in listings:
        if listing.manifest is None:
            print(f"{listing.name:<12} unusable: {listing.problem}")
            continue
        manifest = listing.manifest
        names = [listing.name, *(alias for alias, name in ALIASES.items() if name == listing.name)]
        numbers = f"{', '.join(manifest.stems)} at {manifest.sample_rate} Hz, version {manifest.version}"
        print(f"{', '.join(names):<16} {manifest.title}: {numbers}")
    return 0


def _show(options) -> int:
    from stemlane.registry import find_model

    manifest = find_model(options.name)
    milliseconds = 1000 / manifest.sample_rate
    model_samples = manifest.delay_samples + manifest.stride_samples + manifest.compute_allowance_samples
    rows = {
        "name": manifest.name,
        "title": manifest.title,
        "version": manifest.version,
        "kind": manifest.kind,
        "stems": ", ".join(manifest.stems),
        "residual": manifest.residual,
        "sample rate": f"{manifest.sample_rate} Hz",
        "stride": f"{manifest.stride_samples} samples",
        "delay": f"{manifest.delay_samples} samples",
        "compute time": f"{manifest.compute_allowance_samples} samples allowed",
        "latency": f"{model_samples * milliseconds:.0f} ms at {manifest.sample_rate} Hz, plus the host's part",
        **(_segment_rows(manifest) if manifest.kind != "streaming" else {}),
        "licence": manifest.licence,
        "origin": manifest.origin,
        "training data": manifest.training_data,
        "folder": str(manifest.folder),
        "files": ", ".join(entry.path for entry in manifest.files),
    }
    for label, value in rows.items():
        print(f"{label:<14} {value}")
    return 0


def _verify(options) -> int:
    from stemlane import selftest
    from stemlane.registry import find_model, verify_model
    from stemlane.streaming import StreamingSeparator

    manifest = find_model(options.name)
    verify_model(manifest)
    StreamingSeparator(manifest, manifest.sample_rate, 2)  # loads the network and checks every tensor
    known = selftest.check(manifest)
    print(f"{manifest.name}: ok" + ", gives the known output" * known)
    return 0


def _add(options) -> int:
    from stemlane.install import add_model
    from stemlane.progress import StageProgress

    with StageProgress() as report:
        added = add_model(
            options.source,
            location=options.location,
            name=options.name,
            force=options.force,
            mask_extension=options.extension,
            report=report,
        )
    for label in ("licence", "origin", "training_data"):
        print(f"{label.replace('_', ' '):<14} {getattr(added[0], label)}")
    for manifest in added:
        print(f"{'added':<14} {manifest.name}: {manifest.title}, {latency_text(manifest)}")
    return 0


def _remove(options) -> int:
    from stemlane.install import remove_model

    print(remove_model(options.name))
    return 0


def latency_text(manifest) -> str:
    """Latency of a model at its own rate, for people."""
    samples = manifest.delay_samples + manifest.stride_samples + manifest.compute_allowance_samples
    milliseconds = 1000 * samples / manifest.sample_rate
    return f"latency {milliseconds:.0f} ms" if milliseconds < 1000 else f"latency {milliseconds / 1000:.1f} s"


def _segment_rows(manifest) -> dict[str, str]:
    """What a window of a segment model means, and what it costs."""
    settings, sample_rate = manifest.settings, manifest.sample_rate
    frame_seconds = settings.hop_samples / sample_rate
    before, after = settings.context_before_frames * frame_seconds, settings.context_after_frames * frame_seconds
    edge_hz = settings.network_bins * sample_rate / settings.fft_samples
    above = "stays in the residual" if settings.mask_extension == "zeros" else "follows the mean of the mask below"
    if settings.relative_cost == 1:
        cost = "each frame once, segments side by side as in the original"
        quality = "the original's"
    else:
        cost = f"{settings.relative_cost:.1f} times the computing of whole segments without overlap"
        quality = f"the network hears {before:.2f} s before and {after:.2f} s after what is kept"
    rows = {
        "segment": f"{settings.segment_frames * frame_seconds:.2f} s, moves on by "
        f"{settings.stride_frames * frame_seconds:.2f} s, blends {settings.crossfade_frames * frame_seconds:.2f} s",
        "cost": cost,
        "quality": quality,
    }
    if settings.network_bins < settings.num_bins:
        rows["band"] = f"masks to {edge_hz:.0f} Hz; above, the sound {above}"
    if manifest.kind == "open-unmix":
        rows["masks"] = "shares of the four networks' magnitudes; the original can refine them (Wiener), this does not"
    return rows
