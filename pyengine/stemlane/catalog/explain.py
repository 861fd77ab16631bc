# SPDX-License-Identifier: MIT
"""A model in plain words: what `stemlane models show` prints."""

from stemlane.catalog.licences import licence_rows
from stemlane.contract import FADE_RESERVE_SAMPLES
from stemlane.errors import ManifestError
from stemlane.manifests.ensemble import EnsembleSettings
from stemlane.manifests.kinds import MaskedSegmentSettings, StreamingSettings
from stemlane.manifests.model import Manifest, load_manifest, model_folders
from stemlane.manifests.segments import SegmentSettings
from stemlane.manifests.stem_names import stem_names

_TRAINED_SECONDS = 7.0  # HTDemucs was trained on 7.8 s

_KINDS = {
    "streaming": "a network with a memory that masks the spectrum a few frames at a time",
    "spleeter": "one U-Net a stem, in Deezer's Spleeter; they see whole segments and mask the spectrum",
    "open-unmix": "one bidirectional LSTM a stem, in Open-Unmix; they hear a segment forwards and backwards",
    "htdemucs": "HTDemucs; it hears waveform and spectrogram of whole segments and gives both of the stems",
    "mdx": "an MDX-Net; it turns the complex spectrum of a segment into that of one stem",
    "segment": "a network that turns the complex spectrum of a segment into those of the stems",
    "ensemble": "other models, which run side by side or one on what another leaves",
}


def explain(manifest: Manifest) -> dict[str, str]:
    """Labels and texts, in the order in which they should be read."""
    names = dict(zip(manifest.stems, stem_names(manifest), strict=True))
    rows = {
        "name": manifest.name,
        "title": manifest.title,
        "version": manifest.version,
        "kind": f"{manifest.kind}: {_KINDS[manifest.kind]}",
        "stems": ", ".join(names.values()),
        "residual": f"{names[manifest.residual]}, what the other stems leave of the mixture",
        **({"note": manifest.note} if manifest.note else {}),
        "sample rate": f"{manifest.sample_rate} Hz",
        "latency": f"{_duration(manifest)} at {manifest.sample_rate} Hz, {manifest.latency_samples} samples:",
        "  stride": f"{manifest.stride_samples} samples: a sample waits up to that long",
        "  delay": f"{manifest.delay_samples} samples: transform, context and overlap",
        "  compute time": f"{manifest.compute_allowance_samples} samples allowed",
        "  reserve": f"{FADE_RESERVE_SAMPLES} samples, to fade stems out where the next ones are late",
        **_DETAILS[manifest.kind](manifest),
        **_measured(manifest),
        **_other_modes(manifest),
        **licence_rows(manifest),
    }
    return rows | {
        "origin": manifest.origin,
        "training data": manifest.training_data,
        "folder": str(manifest.folder),
        "files": ", ".join(entry.path for entry in manifest.files) or "none but the manifest",
    }


def latency_text(manifest: Manifest) -> str:
    """A model's latency at its own rate."""
    return f"latency {_duration(manifest)}"


def _duration(manifest: Manifest) -> str:
    milliseconds = 1000 * manifest.latency_samples / manifest.sample_rate
    return f"{milliseconds:.1f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _streaming(manifest: Manifest) -> dict[str, str]:
    settings = manifest.settings_of(StreamingSettings)
    ahead = settings.lookahead_frames * settings.hop_samples
    return {"lookahead": f"{ahead} samples" if ahead else "none beyond the frame itself"}


def _masked_segments(manifest: Manifest) -> dict[str, str]:
    """What a window means, and what it costs."""
    settings, sample_rate = manifest.settings_of(MaskedSegmentSettings), manifest.sample_rate
    frame_seconds = settings.hop_samples / sample_rate
    before, after = settings.context_before_frames * frame_seconds, settings.context_after_frames * frame_seconds
    if settings.relative_cost == 1:
        computing = "no frame twice, segments side by side as in the original"
        quality = "the original's"
    else:
        computing = f"{settings.relative_cost:.1f} times that of whole segments without overlap"
        quality = f"the network hears {before:.2f} s before and {after:.2f} s after what is kept"
    rows = {
        "segment": f"{settings.segment_frames * frame_seconds:.2f} s, moves on by "
        f"{settings.stride_frames * frame_seconds:.2f} s, blends {settings.crossfade_frames * frame_seconds:.2f} s",
        "computing": computing,
        "quality": quality,
    }
    if settings.network_bins < settings.num_bins:
        edge_hz = settings.network_bins * sample_rate / settings.fft_samples
        above = "stays in the residual" if settings.mask_extension == "zeros" else "follows the mean of the mask below"
        rows["band"] = f"masks to {edge_hz:.0f} Hz; above, the sound {above}"
    if manifest.kind == "open-unmix":
        rows["masks"] = "shares of the networks' magnitudes"
    if settings.wiener_iterations:
        times = "once" if settings.wiener_iterations == 1 else f"{settings.wiener_iterations} times"
        rows["masks"] = f"multichannel Wiener filter, {times}, its covariances from {_wiener_span(manifest)}"
    return rows


def _measured(manifest: Manifest) -> dict[str, str]:
    """What was found when the model was added."""
    found = manifest.measured
    rows = {}
    if "processor_seconds" in found:
        rows["processor"] = f"{found['processor_seconds']:.2g} s of one core for a second of music, on this machine"
    if "seam_db" in found:
        rows["cuts"] = (
            f"other places for them, half a stride later, change the stems by {found['seam_db']:.0f} dB, "
            f"a sample by at most {found['seam_largest']:.1g} of full scale"
        )
    if "window_sdr_db" in found:
        rows["window"] = f"{found['window_sdr_db']:.1f} dB SDR against the stems of the longest window"
    return rows


def _other_modes(manifest: Manifest) -> dict[str, str]:
    """The models beside this one that run the same network."""
    modes = []
    for folder in model_folders(manifest.folder.parent):
        try:
            other = load_manifest(folder)
        except ManifestError:
            continue  # `models list` says what is wrong with it
        if other.files and other.files == manifest.files and other.name != manifest.name:
            cost = other.measured.get("processor_seconds")
            modes.append(f"{other.name}, {latency_text(other)}" + (f", {cost:.2g} s of one core" if cost else ""))
    return {"also as": "; ".join(modes)} if modes else {}


def _wiener_span(manifest: Manifest) -> str:
    settings = manifest.settings_of(MaskedSegmentSettings)
    seconds = settings.hop_samples / manifest.sample_rate
    if manifest.kind == "spleeter":
        return f"the whole recording, in a live stream from {settings.segment_frames * seconds:.1f} s at a time"
    frames = settings.wiener_frames if settings.wiener_frames <= settings.stride_frames else settings.segment_frames
    return f"{frames * seconds:.1f} s at a time"


def _segments(manifest: Manifest) -> dict[str, str]:
    settings, sample_rate = manifest.settings_of(SegmentSettings), manifest.sample_rate
    segment_seconds = settings.segment_samples / sample_rate
    networks = "one network" if len(settings.networks) == 1 else f"{len(settings.networks)} networks"
    signs = ", the spectrum and its negative" if settings.both_signs else ""
    rows = {
        "segment": f"{segment_seconds:.2f} s, moves on by {settings.segment_stride_samples / sample_rate:.2f} s, "
        f"{_join(settings, sample_rate)}",
        "computing": f"{networks} on all processors, each moment "
        f"{settings.segment_samples / settings.segment_stride_samples:.2f} times{signs}",
    }
    if manifest.kind == "htdemucs":
        best = segment_seconds > _TRAINED_SECONDS
        rows["quality"] = "the original's" if best else "the networks were trained on 7.8 s and hear less here"
    if settings.level == "recording":
        rows["level"] = "files: brought to mean 0 and deviation 1, as in the original; live: a usual level is assumed"
    if settings.compensation != 1:
        rows["output"] = f"times {settings.compensation:g}"
    if settings.network_bins <= settings.fft_samples // 2 and manifest.kind != "htdemucs":
        edge_hz = settings.network_bins * sample_rate / settings.fft_samples
        rows["band"] = f"the network hears and gives nothing above {edge_hz:.0f} Hz; that stays in the residual"
    return rows


def _join(settings: SegmentSettings, sample_rate: float) -> str:
    """How segments are joined."""
    if settings.weights == "hann":
        return "each weighted by a Hann window over all of it"
    if settings.weights == "ramps":
        return "weighted with ramps over a tenth of it, as its trainer joins them"
    blended = settings.crossfade_samples
    if settings.weights == "triangle":
        blended = settings.segment_samples - settings.segment_stride_samples
    return f"blends {blended / sample_rate:.2f} s"


def _ensemble(manifest: Manifest) -> dict[str, str]:
    words = {"mean": "mean of", "min": "lowest magnitudes of", "max": "highest magnitudes of"}
    rows, settings, taken = {}, manifest.settings_of(EnsembleSettings), ""
    for stage in settings.stages:
        for stem, blend in settings.blends_of(stage).items():
            weighted = len({weight for _, weight in blend.members}) > 1
            names = ", ".join(f"{name} ({weight:g})" if weighted else name for name, weight in blend.members)
            found = f"that of {names}" if len(blend.members) == 1 else f"{words[blend.how]} {names}"
            rows[f"  {stem}"] = found + taken
        taken = f"{taken + ',' if taken else ', from the mixture without'} {', '.join(stage)}"
    return rows


_DETAILS = {
    "streaming": _streaming, "spleeter": _masked_segments, "open-unmix": _masked_segments,
    "mdx": _segments, "htdemucs": _segments, "segment": _segments, "ensemble": _ensemble,
}  # fmt: skip
