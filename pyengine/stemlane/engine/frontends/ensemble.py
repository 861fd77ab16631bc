# SPDX-License-Identifier: MIT
"""Front end of `ensemble` models: runs other models and blends their stems, in live streams and files.

They run side by side or in stages: those of a later stage hear what the earlier ones have left of the mixture. Stems
wait in queues that begin at position 0, so that every stage is in time whatever the others' delays are.
"""

import dataclasses
import hashlib
import math
from collections.abc import Callable, Mapping

import numpy as np

from stemlane.engine.frontends.model_stream import ModelStream
from stemlane.engine.frontends.protocols import RecordingFrontEnd
from stemlane.engine.spectral.spectrum_choice import SpectrumChoice
from stemlane.errors import ModelError
from stemlane.manifests.ensemble import SPECTRUM_HOP_SAMPLES, SPECTRUM_SAMPLES, Blend, EnsembleSettings
from stemlane.manifests.model import Manifest
from stemlane.manifests.registry import find_model


def combined_numbers(settings: EnsembleSettings, members: Mapping[str, Manifest]) -> tuple[int, int]:
    """Stride and delay of an ensemble: the stride is that of the member that takes longest.

    A member whose stride does not divide it has its stems up to a stride later; and one that hears what a stage has
    left begins so much later that its strides need not end where those of the ensemble do.
    """
    stride = max(members.values(), key=lambda member: member.latency_samples).stride_samples
    delay = 0
    for stage in settings.stages:
        lags = []
        for member in (members[name] for name in settings.members_of(stage)):
            step = math.gcd(stride, member.stride_samples)
            lags.append(member.delay_samples + member.stride_samples - step + -delay % step)
        delay += max(lags) + settings.spectrum_delay_samples(stage)
    return stride, delay


def stated(settings: object) -> str:
    """What settings say beyond their defaults: a version of Stemlane that knows more of them changes nothing."""
    if isinstance(settings, tuple):
        return f"({', '.join(map(stated, settings))})"
    if not dataclasses.is_dataclass(settings):
        return repr(settings)
    values = [
        f"{field.name}={stated(value)}"
        for field in dataclasses.fields(settings)
        if (value := getattr(settings, field.name)) != field.default
    ]
    return f"{type(settings).__name__}({', '.join(values)})"


def fingerprint(settings: EnsembleSettings, members: Mapping[str, Manifest]) -> str:
    """The version of an ensemble: it changes with its blends, and with its members' files and settings."""
    known = [f"{stem} {blend.how} {blend.members}" for stem, blend in settings.blends]
    known += [f"then {stage}" for stage in settings.stages[1:]]
    for member in members.values():
        known.append(f"{member.version} {member.kind} {member.stems} {member.residual} {stated(member.settings)}")
        known += [f"{entry.path} {entry.sha256}" for entry in member.files]
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:16]


class EnsembleFrontEnd(RecordingFrontEnd):
    """Runs an `ensemble`.

    Parameters
    ----------
    members
        The models that it takes stems from, by name, see `check_members`.
    stream_of
        Makes the stream of one of them.
    whole
        The input is one recording, which each member of the first stage hears as it does alone. Later ones cannot
        know all of what they will hear, and take its level as a live stream does.

    Raises
    ------
    ModelError
        If a member is not what it was when the ensemble was made.
    """

    knows_end = True

    def __init__(
        self,
        manifest: Manifest,
        members: Mapping[str, Manifest],
        stream_of: Callable[[Manifest], ModelStream],
        *,
        whole: bool = False,
    ):
        settings = manifest.settings_of(EnsembleSettings)
        numbers = (settings.stride_samples, settings.delay_samples)
        if numbers != combined_numbers(settings, members) or fingerprint(settings, members) != manifest.version:
            raise ModelError(f"model {manifest.name!r}: {', '.join(settings.members)} are not what they were when it "
                             "was made: combine them again")  # fmt: skip
        self.stems = manifest.separated_stems
        self.sample_rate = manifest.sample_rate
        self.stride_samples, self.delay_samples = numbers
        self._stages = [
            _Stage(
                settings.blends_of(stage),
                {name: _Member(members[name], stream_of) for name in settings.members_of(stage)},
            )
            for stage in settings.stages
        ]
        if whole:  # files are heard in other strides
            spectra = sum(settings.spectrum_delay_samples(stage) for stage in settings.stages)
            self.delay_samples = sum(stage.max_lag_samples for stage in self._stages) + spectra
        given = [stem for stage in settings.stages for stem in settings.blends_of(stage)]
        self._order = [given.index(stem) for stem in self.stems]
        self.needs_prescan = self._stages[0].needs_prescan
        self.reset()

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take (2, stride) of the mixture, return (stems, 2, stride) of the stems, `delay_samples` earlier."""
        self._hear(mixture)
        return self._taken(mixture.shape[1])

    def prescan(self, mixture: np.ndarray) -> None:
        """Take a piece (2, samples) of the recording, for the members that want it."""
        self._stages[0].prescan(mixture)

    def finish(self, rest: np.ndarray) -> np.ndarray:
        """Take the last (2, fewer than a stride) samples, return all stems still owed."""
        self._hear(rest, last=True)
        return self._taken(self.delay_samples + rest.shape[1])

    def reset(self) -> None:
        """Forget everything heard so far."""
        for stage in self._stages:
            stage.reset()
        self._ready = [np.zeros((stage.num_stems, 2, self.delay_samples), np.float32) for stage in self._stages]

    def _hear(self, mixture: np.ndarray, *, last: bool = False) -> None:
        """Pass (2, samples) through all stages, each as far as it comes."""
        for number, stage in enumerate(self._stages):
            stems, mixture = stage.hear(mixture, last=last)
            self._ready[number] = np.concatenate([self._ready[number], stems], axis=2)

    def _taken(self, num_samples: int) -> np.ndarray:
        """The next samples (stems, 2, samples)."""
        stems = np.concatenate([ready[:, :, :num_samples] for ready in self._ready])
        self._ready = [ready[:, :, num_samples:] for ready in self._ready]
        return stems[self._order]


class _Stage:
    """Models that hear the same, and the blends of their stems."""

    def __init__(self, blends: Mapping[str, Blend], members: "Mapping[str, _Member]"):
        self._members = members
        self._blends = [
            (_Mean if blend.how == "mean" else _Choice)(stem, blend) for stem, blend in blends.items()
        ]  # fmt: skip
        self.num_stems = len(self._blends)
        streams = [member.stream for member in members.values()]
        self.max_lag_samples = max(stream.max_lag_samples for stream in streams)
        self.needs_prescan = any(stream.needs_prescan for stream in streams)

    def reset(self) -> None:
        """Start over at position 0."""
        for part in (*self._members.values(), *self._blends):
            part.reset()
        self._mixture = np.zeros((2, 0), np.float32)  # whose stems are not known yet
        self._ready = [np.zeros((2, 0), np.float32) for _ in self._blends]

    def prescan(self, mixture: np.ndarray) -> None:
        """Take a piece (2, samples) of the recording, for the members that want it."""
        for member in self._members.values():
            member.stream.prescan(mixture)

    def hear(self, mixture: np.ndarray, *, last: bool) -> tuple[np.ndarray, np.ndarray]:
        """Take the next (2, samples); returns what becomes known, (stems, 2, samples) and what these leave of it."""
        self._mixture = np.concatenate([self._mixture, mixture], axis=1)
        for member in self._members.values():
            member.hear(mixture, last=last)
        num_samples = min(member.num_ready for member in self._members.values())
        found = {name: member.take(num_samples) for name, member in self._members.items()}
        for number, blend in enumerate(self._blends):
            pieces = [self._ready[number], blend.process(found), *([blend.end()] if last else [])]
            self._ready[number] = np.concatenate(pieces, axis=1)
        num_samples = min(ready.shape[1] for ready in self._ready)
        stems = np.stack([ready[:, :num_samples] for ready in self._ready])
        self._ready = [ready[:, num_samples:] for ready in self._ready]
        left = self._mixture[:, :num_samples] - stems.sum(axis=0)
        self._mixture = self._mixture[:, num_samples:]
        return stems, left


class _Member:
    """A model of an ensemble, and what it has heard and found that has not been taken yet."""

    def __init__(self, manifest: Manifest, stream_of: Callable[[Manifest], ModelStream]):
        self.stream = stream_of(manifest)
        self._residual = manifest.residual

    def reset(self) -> None:
        """Start over at position 0."""
        self.stream.reset()
        self._mixture = np.zeros((2, 0), np.float32)
        self._stems = np.zeros((len(self.stream.stems), 2, 0), np.float32)

    @property
    def num_ready(self) -> int:
        """Samples that can be taken."""
        return self._stems.shape[2]

    def hear(self, mixture: np.ndarray, *, last: bool) -> None:
        """Take the next (2, samples) of what it separates."""
        self._mixture = np.concatenate([self._mixture, mixture], axis=1)
        pieces = [self._stems, self.stream.process(mixture), *([self.stream.finish()] if last else [])]
        self._stems = np.concatenate(pieces, axis=2)

    def take(self, num_samples: int) -> dict[str, np.ndarray]:
        """The next samples (2, samples) of all stems, the residual included."""
        stems, mixture = self._stems[:, :, :num_samples], self._mixture[:, :num_samples]
        self._stems, self._mixture = self._stems[:, :, num_samples:], self._mixture[:, num_samples:]
        return dict(zip(self.stream.stems, stems, strict=True)) | {self._residual: mixture - stems.sum(axis=0)}


class _Mean:
    """The weighted mean of the members' stems."""

    def __init__(self, stem: str, blend: Blend):
        self._stem = stem
        total = sum(weight for _, weight in blend.members)
        self._weights = [(name, np.float32(weight / total)) for name, weight in blend.members]

    def reset(self) -> None:
        """Nothing is kept."""

    def process(self, found: dict[str, dict[str, np.ndarray]]) -> np.ndarray:
        """(2, samples) of the stem, from those of every member."""
        mean: np.ndarray = sum(weight * found[name][self._stem] for name, weight in self._weights)  # type: ignore[assignment]
        return mean

    def end(self) -> np.ndarray:
        """What is still owed."""
        return np.zeros((2, 0), np.float32)


class _Choice:
    """Of every bin of the members' spectra the one of the lowest or highest magnitude."""

    def __init__(self, stem: str, blend: Blend):
        self._stem = stem
        self._names = [name for name, _ in blend.members]
        self._choice = SpectrumChoice(
            len(self._names), fft_samples=SPECTRUM_SAMPLES, hop_samples=SPECTRUM_HOP_SAMPLES,
            highest=blend.how == "max", start=0)  # fmt: skip
        self.reset()

    def reset(self) -> None:
        """Start over."""
        self._choice.reset()
        self._num_to_drop = SPECTRUM_SAMPLES  # what comes first lies before position 0

    def process(self, found: dict[str, dict[str, np.ndarray]]) -> np.ndarray:
        """(2, samples) of the stem that become known from those of every member."""
        return self._known(np.stack([found[name][self._stem] for name in self._names]))

    def end(self) -> np.ndarray:
        """What is still owed: silence follows."""
        return self._known(np.zeros((len(self._names), 2, SPECTRUM_SAMPLES), np.float32))

    def _known(self, versions: np.ndarray) -> np.ndarray:
        chosen = self._choice.process(versions)
        num_dropped = min(self._num_to_drop, chosen.shape[1])
        self._num_to_drop -= num_dropped
        return chosen[:, num_dropped:]


def check_members(manifest_name: str, settings: EnsembleSettings, sample_rate: float) -> dict[str, Manifest]:
    """The models an ensemble takes stems from, by name.

    Raises
    ------
    ModelError
        If one is not there, is an ensemble itself, runs at another rate, or has not the stem that is taken from it.
    """
    members = {}
    for name in settings.members:
        try:
            member = find_model(name)
        except ModelError:
            problem = "which is not there: add it, or combine others"
            raise ModelError(f"model {manifest_name!r} takes stems from {name!r}, {problem}") from None
        problem = ""
        if member.kind == "ensemble":
            problem = "which is an ensemble itself: name its members"
        elif member.sample_rate != sample_rate:
            problem = f"which runs at {member.sample_rate} Hz, not {sample_rate:g}"
        for stem, blend in settings.blends:
            if name in [found for found, _ in blend.members] and stem not in member.stems:
                problem = problem or f"which has no {stem}, but: {', '.join(member.stems)}"
        if problem:
            raise ModelError(f"model {manifest_name!r} takes stems from {name!r}, {problem}")
        members[name] = member
    return members
