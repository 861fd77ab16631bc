# SPDX-License-Identifier: MIT
"""Front end of `ensemble` models: runs other models side by side and blends their stems, in live streams and files."""

import dataclasses
import hashlib
import math
from collections.abc import Sequence

import numpy as np

from stemlane.engine.frontends.protocols import RecordingFrontEnd
from stemlane.engine.spectral.spectrum_choice import SpectrumChoice
from stemlane.engine.streaming import StreamingSeparator
from stemlane.errors import ModelError
from stemlane.manifests.ensemble import SPECTRUM_HOP_SAMPLES, SPECTRUM_SAMPLES, Blend, EnsembleSettings
from stemlane.manifests.model import Manifest
from stemlane.manifests.registry import find_model


def combined_numbers(members: Sequence[Manifest], spectrum_delay_samples: int) -> tuple[int, int]:
    """Stride and delay of models that run side by side: of the one that takes longest, as far as the others fit in.

    A member whose stride does not divide the longest's has its stems up to a stride later.
    """
    stride = max(members, key=lambda member: member.latency_samples).stride_samples
    delays = [m.delay_samples + m.stride_samples - math.gcd(stride, m.stride_samples) for m in members]
    return stride, max(delays) + spectrum_delay_samples


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


def fingerprint(settings: EnsembleSettings, members: Sequence[Manifest]) -> str:
    """The version of an ensemble: it changes with its blends, and with its members' files and settings."""
    known = [f"{stem} {blend.how} {blend.members}" for stem, blend in settings.blends]
    for member in members:
        known.append(f"{member.version} {member.kind} {member.stems} {member.residual} {stated(member.settings)}")
        known += [f"{entry.path} {entry.sha256}" for entry in member.files]
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:16]


class EnsembleFrontEnd(RecordingFrontEnd):
    """Runs an `ensemble`.

    Parameters
    ----------
    whole
        The input is one recording, which each member hears as it does alone.

    Raises
    ------
    ModelError
        If a member is missing, or is not what it was when the ensemble was made.
    """

    knows_end = True

    def __init__(self, manifest: Manifest, *, whole: bool = False):
        settings = manifest.settings_of(EnsembleSettings)
        members = check_members(manifest.name, settings, manifest.sample_rate)
        numbers = combined_numbers(members, settings.spectrum_delay_samples)
        stated = (settings.stride_samples, settings.delay_samples)
        if numbers != stated or fingerprint(settings, members) != manifest.version:
            raise ModelError(f"model {manifest.name!r}: {', '.join(settings.members)} are not what they were when it "
                             "was made: combine them again")  # fmt: skip
        self.stems = manifest.separated_stems
        self.sample_rate = manifest.sample_rate
        self.stride_samples = settings.stride_samples
        self._members = {member.name: _Member(member, whole=whole) for member in members}
        separators = [member.separator for member in self._members.values()]
        self._spectrum_delay = settings.spectrum_delay_samples
        # Files are heard in other strides.
        self._member_delay = max(separator.max_lag_samples for separator in separators)
        if not whole:
            self._member_delay = settings.delay_samples - self._spectrum_delay
        self.delay_samples = self._member_delay + self._spectrum_delay
        self._blends = [
            _blender(stem, blend, -self._member_delay, self._spectrum_delay) for stem, blend in settings.blends
        ]
        self.needs_prescan = any(separator.needs_prescan for separator in separators)
        self.reset()

    def process(self, mixture: np.ndarray) -> np.ndarray:
        """Take (2, stride) of the mixture, return (stems, 2, stride) of the stems, `delay_samples` earlier."""
        for member in self._members.values():
            member.hear(mixture)
        return self._blended(mixture.shape[1])

    def prescan(self, mixture: np.ndarray) -> None:
        """Take a piece (2, samples) of the recording, for the members that want it."""
        for member in self._members.values():
            member.separator.prescan_block(mixture)

    def finish(self, rest: np.ndarray) -> np.ndarray:
        """Take the last (2, fewer than a stride) samples, return all stems still owed."""
        for member in self._members.values():
            member.hear(rest)
            member.end(self._spectrum_delay)
        return self._blended(self.delay_samples + rest.shape[1])

    def reset(self) -> None:
        """Forget everything heard so far."""
        for member in self._members.values():
            member.reset(self._member_delay)
        for blend in self._blends:
            blend.reset()

    def _blended(self, num_samples: int) -> np.ndarray:
        found = {name: member.take(num_samples) for name, member in self._members.items()}
        return np.stack([blend.process(found) for blend in self._blends])


class _Member:
    """A model of an ensemble, and what it has heard and found that has not been taken yet."""

    def __init__(self, manifest: Manifest, *, whole: bool):
        self.separator = StreamingSeparator(manifest, manifest.sample_rate, 2, whole=whole)
        self._residual = manifest.residual

    def reset(self, delay_samples: int) -> None:
        """Start over, with so much silence before position 0."""
        self.separator.reset()
        self._mixture = np.zeros((2, delay_samples), np.float32)
        self._stems = np.zeros((len(self.separator.stems), 2, delay_samples), np.float32)

    def hear(self, mixture: np.ndarray) -> None:
        """Take (2, samples) of the mixture."""
        self._mixture = np.concatenate([self._mixture, mixture], axis=1)
        self._stems = np.concatenate([self._stems, self.separator.process(mixture)], axis=2)

    def end(self, num_after: int) -> None:
        """Nothing follows but so much silence."""
        self._stems = np.concatenate([self._stems, self.separator.finish()], axis=2)
        self._stems, self._mixture = (
            np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, num_after)]) for values in (self._stems, self._mixture)
        )

    def take(self, num_samples: int) -> dict[str, np.ndarray]:
        """The next samples (2, samples) of all stems, the residual included."""
        stems, mixture = self._stems[:, :, :num_samples], self._mixture[:, :num_samples]
        self._stems, self._mixture = self._stems[:, :, num_samples:], self._mixture[:, num_samples:]
        return dict(zip(self.separator.stems, stems, strict=True)) | {self._residual: mixture - stems.sum(axis=0)}


class _Mean:
    """The weighted mean of the members' stems, as late as stems whose spectra are compared."""

    def __init__(self, stem: str, blend: Blend, delay_samples: int):
        self._stem, self._delay_samples = stem, delay_samples
        total = sum(weight for _, weight in blend.members)
        self._weights = [(name, np.float32(weight / total)) for name, weight in blend.members]
        self.reset()

    def reset(self) -> None:
        """Start over."""
        self._waiting = np.zeros((2, self._delay_samples), np.float32)

    def process(self, found: dict[str, dict[str, np.ndarray]]) -> np.ndarray:
        """(2, samples) of the stem, from those of every member."""
        mean: np.ndarray = sum(weight * found[name][self._stem] for name, weight in self._weights)  # type: ignore[assignment]
        both = np.concatenate([self._waiting, mean], axis=1)
        self._waiting = both[:, mean.shape[1] :]
        return both[:, : mean.shape[1]]


class _Choice:
    """Of every bin of the members' spectra the one of the lowest or highest magnitude."""

    def __init__(self, stem: str, blend: Blend, start: int):
        self._stem = stem
        self._names = [name for name, _ in blend.members]
        self._choice = SpectrumChoice(
            len(self._names), fft_samples=SPECTRUM_SAMPLES, hop_samples=SPECTRUM_HOP_SAMPLES,
            highest=blend.how == "max", start=start)  # fmt: skip

    def reset(self) -> None:
        """Start over."""
        self._choice.reset()

    def process(self, found: dict[str, dict[str, np.ndarray]]) -> np.ndarray:
        """(2, samples) of the stem, from those of every member."""
        return self._choice.process(np.stack([found[name][self._stem] for name in self._names]))


def _blender(stem: str, blend: Blend, start: int, delay_samples: int) -> _Mean | _Choice:
    return _Mean(stem, blend, delay_samples) if blend.how == "mean" else _Choice(stem, blend, start)


def check_members(manifest_name: str, settings: EnsembleSettings, sample_rate: float) -> list[Manifest]:
    """The models an ensemble takes stems from.

    Raises
    ------
    ModelError
        If one is not there, is an ensemble itself, runs at another rate, or has not the stem that is taken from it.
    """
    members = []
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
        members.append(member)
    return members
