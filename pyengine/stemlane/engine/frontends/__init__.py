# SPDX-License-Identifier: MIT
"""One front end per kind of model, in one table. A new kind of model gets a module here and a line in the table.

A module is imported when a model needs it: an engine runs one kind, and there are many engines.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stemlane.engine.frontends.model_stream import ModelStream
from stemlane.engine.frontends.protocols import RecordingFrontEnd, StreamFrontEnd
from stemlane.engine.session import available_threads
from stemlane.errors import InputError
from stemlane.manifests.kinds import MaskedSegmentSettings, StreamingSettings
from stemlane.manifests.model import Manifest
from stemlane.manifests.segments import SegmentSettings

__all__ = [
    "FRONT_ENDS",
    "FrontEnds",
    "ModelStream",
    "RecordingFrontEnd",
    "StreamFrontEnd",
    "create_recording",
    "create_stream",
]


@dataclass(frozen=True)
class FrontEnds:
    """How models of one kind are run.

    Attributes
    ----------
    stream
        Makes the front end of a live stream, which shares the machine with others.
    recording
        Makes that of a whole recording, with the number of threads that may compute.
    shifted
        The same with the number of shifted passes that are averaged, where the kind has such.
    together
        As `stream`, with the most strides that are computed together, where the kind can do that.
    """

    stream: Callable[[Manifest], StreamFrontEnd]
    recording: Callable[[Manifest, int], RecordingFrontEnd]
    shifted: Callable[[Manifest, int], RecordingFrontEnd] | None = None
    together: Callable[[Manifest, int], StreamFrontEnd] | None = None


def _streaming(manifest: Manifest, strides_at_once: int = 1) -> StreamFrontEnd:
    from stemlane.engine.frontends.streaming import StreamingFrontEnd

    # Memories that take turns see one stride each: the network would run as often, and the wait would win nothing.
    takes_turns = manifest.settings_of(StreamingSettings).interleaved_states > 1
    return StreamingFrontEnd(manifest, strides_at_once=1 if takes_turns else strides_at_once)


def _streaming_recording(manifest: Manifest) -> RecordingFrontEnd:
    from stemlane.engine.frontends.many_steps import ManyStepsFrontEnd
    from stemlane.engine.frontends.streaming import StreamingFrontEnd, takes_many

    many = takes_many(manifest.settings_of(StreamingSettings))
    return ManyStepsFrontEnd(manifest) if many else StreamingFrontEnd(manifest)


def _spleeter(manifest: Manifest, threads: int = 1) -> RecordingFrontEnd:
    from stemlane.engine.frontends.masked_segments import MaskedSegmentFrontEnd
    from stemlane.engine.frontends.spleeter_wiener import SpleeterWienerFrontEnd

    filters = manifest.settings_of(MaskedSegmentSettings).wiener_iterations > 0
    return (SpleeterWienerFrontEnd if filters else MaskedSegmentFrontEnd)(manifest, threads=threads)


def _open_unmix(manifest: Manifest, threads: int = 1) -> RecordingFrontEnd:
    from stemlane.engine.frontends.open_unmix import OpenUnmixFrontEnd

    return OpenUnmixFrontEnd(manifest, threads=threads)


def _segments(manifest: Manifest, shifts: int = 0, *, whole: bool = False) -> RecordingFrontEnd:
    from stemlane.engine.frontends.ramped_segments import RampedSegmentFrontEnd
    from stemlane.engine.frontends.segments import SegmentFrontEnd

    if whole and manifest.settings_of(SegmentSettings).weights == "ramps":
        if shifts:
            raise InputError(f"model {manifest.name!r} joins segments as its trainer does, unshifted: leave shifts out")
        return RampedSegmentFrontEnd(manifest)
    return SegmentFrontEnd(manifest, whole=whole, shifts=shifts)


def _whole_segments(manifest: Manifest, threads: int) -> RecordingFrontEnd:
    del threads  # it takes what there is, live too
    return _segments(manifest, whole=True)


def _ensemble(manifest: Manifest, *, whole: bool = False) -> RecordingFrontEnd:
    from stemlane.engine.frontends.ensemble import EnsembleFrontEnd, check_members
    from stemlane.manifests.ensemble import EnsembleSettings
    from stemlane.manifests.registry import check_model

    members = check_members(manifest.name, manifest.settings_of(EnsembleSettings), manifest.sample_rate)

    def stream_of(member: Manifest) -> ModelStream:
        check_model(member)
        return ModelStream((create_recording if whole else create_stream)(member), member.name, whole=whole)

    return EnsembleFrontEnd(manifest, members, stream_of, whole=whole)


_SEGMENTS = FrontEnds(
    _segments, _whole_segments, shifted=lambda manifest, shifts: _segments(manifest, shifts, whole=True)
)

FRONT_ENDS: Mapping[str, FrontEnds] = {
    "streaming": FrontEnds(_streaming, lambda manifest, threads: _streaming_recording(manifest), together=_streaming),
    "spleeter": FrontEnds(_spleeter, _spleeter),
    "open-unmix": FrontEnds(_open_unmix, _open_unmix),
    "mdx": FrontEnds(_segments, _whole_segments),
    "htdemucs": _SEGMENTS,
    "segment": _SEGMENTS,
    "ensemble": FrontEnds(_ensemble, lambda manifest, threads: _ensemble(manifest, whole=True)),
}


def create_stream(manifest: Manifest, *, strides_at_once: int = 1) -> StreamFrontEnd:
    """Load the network of a model whose files have been verified, for a live stream.

    It computes up to `strides_at_once` strides together if its kind can, see `StreamFrontEnd`.
    """
    front_ends = FRONT_ENDS[manifest.kind]
    if front_ends.together is None:
        return front_ends.stream(manifest)
    return front_ends.together(manifest, strides_at_once)


def create_recording(manifest: Manifest, *, shifts: int = 0) -> RecordingFrontEnd:
    """Load the network of a model whose files have been verified, for whole recordings.

    Raises
    ------
    InputError
        If `shifts` is above 0 and models of this kind cannot be shifted.
    """
    front_ends = FRONT_ENDS[manifest.kind]
    if not shifts:
        return front_ends.recording(manifest, available_threads())
    if front_ends.shifted is None:
        raise InputError(f"model {manifest.name!r} cannot be shifted: leave shifts out, or take an htdemucs model")
    return front_ends.shifted(manifest, shifts)
