# SPDX-License-Identifier: MIT
"""Separates whole recordings, in memory or as a stream of blocks, into all stems of a model, the residual included.

It runs the streaming engine and nothing else, so files and the plugin get the same stems, but for models whose
original looks at the whole recording.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Never, Self

import numpy as np

from stemlane.arguments import check_names, is_count, shown
from stemlane.audio_checks import check_block, check_mixture
from stemlane.engine import provider_choice, providers
from stemlane.engine.spectral.focus import model_focus
from stemlane.engine.stems import Stems
from stemlane.engine.streaming import StreamingSeparator
from stemlane.errors import InputError
from stemlane.manifests.model import Manifest
from stemlane.manifests.registry import check_model, find_model
from stemlane.manifests.stem_names import stem_names
from stemlane.units import parse_focus

BLOCK_SAMPLES = 16384
PIECE_SAMPLES = 1 << 16  # the stems of a segment are 6 to 12 s: with the residual beside them they are there twice
_HIGHEST_SHIFTS = 20
_MOST_IDLE = 2  # networks kept for the next recording, each for one rate and number of channels: HTDemucs takes 0.5 GB


class Separator:
    """Separates recordings with one model. Several threads may use one at the same time.

    It is a context manager, which lets go of the networks that have been loaded.

    Parameters
    ----------
    model
        A model's name as `stemlane models list` shows it, `default`, or the path of a model's folder.
    shifts
        For an `htdemucs` model: average so many passes, each shifted by up to half a second, always the same ones. It
        takes as many times as long. 0 for one pass that is not shifted.
    provider
        What computes the networks: `cpu`, `cuda`, `tensorrt`, `openvino`, `coreml`, `directml`, `webgpu`, `migraphx`,
        or `auto` for the first that is there and right. None for what `STEMLANE_PROVIDER` says, usually the CPU. One
        that is missing, or does not give the model's known output, is left with a warning, and the CPU computes.
    focus
        How sharply stems are told apart, by stem, in per cent: 50, which the others have, changes nothing; above it a
        stem keeps what is clearly its own, below it also what is doubtful. The stems still sum to the mixture. For
        `live`, `mix`, `studio` and other models of the kind `streaming`.

    Attributes
    ----------
    manifest
        The model.
    stems
        Names of all stems, in the order of the model. Spleeter's models of two stems have `accompaniment`.
    shifts
        How many shifted passes are averaged.
    focus
        By stem, of those that were named.
    asked_provider
        What was asked for, None for the environment's; `provider` is what computes.

    Examples
    --------
    >>> mixture = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 44100)).astype(np.float32)
    >>> with Separator("live") as separator:
    ...     stems = separator.separate(mixture, 44100)
    >>> stems
    Stems of 1.000 s at 44100 Hz, 2 channels: vocals, drums, bass, other
    >>> instrumental = mixture - stems["vocals"]
    >>> bool(np.abs(sum(stems.values()) - mixture).max() < 1e-6)
    True
    """

    def __init__(
        self, model: str | Path | Manifest = "default", *, shifts: int = 0, provider: str | None = None,
        focus: Mapping[str, float | str] | None = None, **unknown: Never,
    ):  # fmt: skip
        check_names(unknown, ("shifts", "provider", "focus"), "Separator")
        if not is_count(shifts, 0, _HIGHEST_SHIFTS):
            raise InputError(f"shifts is {shown(shifts)}, should be a whole number from 0 to {_HIGHEST_SHIFTS}")
        self.manifest = model if isinstance(model, Manifest) else find_model(model)
        check_model(self.manifest)
        self.stems = stem_names(self.manifest)
        self.shifts = shifts
        self._focus = model_focus(self.manifest, {} if focus is None else focus)
        self.focus = {stem: parse_focus(percent, stem) for stem, percent in (focus or {}).items()}
        self.asked_provider = provider if provider is None else providers.asked(provider)
        self._lock = threading.Lock()
        self._most_idle = _MOST_IDLE
        self._idle: list[StreamingSeparator] = []  # loaded networks nobody uses at the moment, the latest used last

    def __repr__(self) -> str:
        shifts = f", shifts={self.shifts}" if self.shifts else ""
        return f"Separator({self.manifest.name!r}{shifts}) of {', '.join(self.stems)} at {self.manifest.sample_rate} Hz"

    @property
    def provider(self) -> str:
        """What computes the networks: what is asked for, if it gives the right stems, else `cpu`."""
        return provider_choice.choose(self.manifest, self.asked_provider)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the loaded networks and their memory. What is separated later loads them again."""
        with self._lock:
            self._idle.clear()

    def keep_ready(self, num_recordings: int) -> None:
        """Keep as many networks loaded between recordings as are separated side by side."""
        with self._lock:
            self._most_idle = max(_MOST_IDLE, num_recordings)

    def separate(
        self, mixture: np.ndarray, sample_rate: float, *, progress: Callable[[int], None] | None = None
    ) -> Stems:
        """Separate one recording.

        Parameters
        ----------
        mixture
            (channels, samples) floating point, one or two channels, finite: an array, a tensor of torch wherever it
            is, or whatever else numpy makes an array of.
        sample_rate
            In Hz, 8000 to 384000.
        progress
            Called with the number of samples finished since its last call.

        Returns
        -------
        Stems
            A dictionary: a float32 array of the mixture's shape for every stem. Together they sum to the mixture.

        Raises
        ------
        InputError
            If the recording cannot be used.
        """
        mixture = check_mixture(mixture, sample_rate)
        stems = np.empty((len(self.stems), *mixture.shape), np.float32)
        position = 0
        blocks = [mixture[:, start : start + BLOCK_SAMPLES] for start in range(0, mixture.shape[1], BLOCK_SAMPLES)]
        for piece in self.separate_blocks(blocks, sample_rate, mixture.shape[0]):
            stems[:, :, position : position + piece.shape[2]] = piece
            position += piece.shape[2]
            if progress:
                progress(piece.shape[2])
        return Stems(zip(self.stems, stems, strict=True), sample_rate)

    def separate_blocks(
        self, blocks: Iterable[np.ndarray], sample_rate: float, num_channels: int
    ) -> Iterator[np.ndarray]:
        """Separate a recording that comes in blocks, in bounded memory.

        Parameters
        ----------
        blocks
            Arrays (channels, samples) of any lengths, finite. A model that looks at the whole recording first goes
            through them twice, and keeps them if they can be had only once.

        Yields
        ------
        numpy.ndarray
            (all stems, channels, samples) float32, of a second or so, contiguous in time; in all as many samples as
            came in.
        """
        stream = self._take(sample_rate, num_channels)
        try:
            if stream.needs_prescan:
                blocks = list(blocks) if isinstance(blocks, Iterator) else blocks
                stream.prescan(blocks)
            waiting = np.zeros((num_channels, 0), np.float32)  # mixture whose stems are not known yet
            num_in = 0
            for block in blocks:
                block = check_block(block, num_channels, num_in)
                num_in += block.shape[1]
                waiting = np.concatenate([waiting, block], axis=1)
                separated = stream.process(block)
                num_samples = separated.shape[2]
                yield from self._with_residual(waiting[:, :num_samples], separated)
                waiting = waiting[:, num_samples:]
            if waiting.shape[1]:
                yield from self._with_residual(waiting, stream.finish())
        finally:
            stream.reset()
            with self._lock:
                self._idle = [*self._idle, stream][-self._most_idle :]

    def _take(self, sample_rate: float, num_channels: int) -> StreamingSeparator:
        """A network for recordings of this kind, nobody else's while it is in use."""
        with self._lock:
            for index, stream in enumerate(self._idle):
                if (stream.sample_rate, stream.num_channels) == (sample_rate, num_channels):
                    return self._idle.pop(index)
        stream = StreamingSeparator(
            self.manifest, sample_rate, num_channels, whole=True, shifts=self.shifts, provider=self.asked_provider
        )
        stream.set_focus(self._focus)
        return stream

    def _with_residual(self, mixture: np.ndarray, separated: np.ndarray) -> Iterator[np.ndarray]:
        """All stems in the model's order, from the mixture and the stems the network gave, in pieces of a second."""
        residual = self.manifest.stems.index(self.manifest.residual)
        for start in range(0, mixture.shape[1], PIECE_SAMPLES):
            known = separated[:, :, start : start + PIECE_SAMPLES]
            rest = mixture[:, start : start + PIECE_SAMPLES] - known.sum(axis=0)
            yield np.insert(known, residual, rest, axis=0)
