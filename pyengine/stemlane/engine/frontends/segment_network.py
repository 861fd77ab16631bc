# SPDX-License-Identifier: MIT
"""One network of a model that hears whole segments, with the transforms around it: samples to those of the stems."""

import copy

import numpy as np

from stemlane.engine.session import Arrays, SegmentSession, Shape
from stemlane.engine.spectral.segment_spectra import SegmentSpectra
from stemlane.manifests.model import Manifest
from stemlane.manifests.segments import NetworkFile, SegmentSettings


class SegmentNetwork:
    """Runs one network of a model; `indices` are those of the stems it gives.

    The network maps `spectrogram` (frames, bins, 4) to `stem_spectrograms` (frames, bins, stems x 4); the four are
    real and imaginary part of the left channel, then of the right. One that has waveforms maps `waveform` (samples, 2)
    to `stem_waveforms` (samples, stems x 2) beside them. That of an `mdx` model has names of its own, and planes
    (1, 4, bins, frames). Networks that run in turn may have `shared` arrays.
    """

    def __init__(self, manifest: Manifest, network: NetworkFile, threads: int, shared: Arrays | None = None):
        settings = self._settings = manifest.settings_of(SegmentSettings)
        self.indices = [manifest.separated_stems.index(stem) for stem in network.stems]
        self._spectra = SegmentSpectra(
            settings.fft_samples, settings.hop_samples, settings.transform_samples, bins=settings.network_bins,
            window=settings.window, normalised=settings.normalised, frames=settings.frames)  # fmt: skip
        frames, bins, channels = settings.segment_frames, settings.network_bins, 2 * len(self.indices)
        found, given = settings.tensors
        inputs: dict[str, Shape] = {found: (1, 4, bins, frames) if settings.planes else (frames, bins, 4)}
        outputs: dict[str, Shape] = {
            given: (1, 2 * channels, bins, frames) if settings.planes else (frames, bins, 2 * channels)
        }
        if settings.has_waveforms:
            inputs["waveform"] = (settings.segment_samples, 2)
            outputs["stem_waveforms"] = (settings.segment_samples, channels)
        self._session = SegmentSession(
            manifest.folder / network.path, inputs=inputs, outputs=outputs, threads=threads, shared=shared
        )

    def clone(self) -> "SegmentNetwork":
        """The same network for another thread."""
        clone = copy.copy(self)
        clone._session = self._session.clone()  # noqa: SLF001 - its own class
        return clone

    def separate(self, mixture: np.ndarray) -> np.ndarray:
        """(2, segment) to (stems, 2, segment)."""
        settings, (inputs, outputs) = self._settings, (self._session.inputs, self._session.outputs)
        padded = np.pad(mixture, ((0, 0), (0, settings.padding_samples))) if settings.padding_samples else mixture
        spectra = self._spectra.analyse(padded)  # (channels, frames, bins)
        spectra[:, :, : settings.silent_bins] = 0
        found, given = inputs[settings.tensors[0]], outputs[settings.tensors[1]]
        if settings.planes:
            planes = found.reshape(2, 2, *found.shape[2:])
            planes[:, 0], planes[:, 1] = spectra.real.transpose(0, 2, 1), spectra.imag.transpose(0, 2, 1)
        else:
            found.view(np.complex64)[...] = spectra.transpose(1, 2, 0)
        if settings.has_waveforms:
            inputs["waveform"][...] = mixture.T
        del padded, spectra  # they are in the network's inputs now, and it needs the memory
        self._session.run()
        if settings.both_signs:
            first = given.copy()
            found *= -1
            self._session.run()
            given[...] = (first - given) / 2
        if settings.planes:
            planes = given.reshape(-1, 2, *given.shape[2:])
            spectra = (planes[:, 0] + 1j * planes[:, 1]).transpose(0, 2, 1)
        else:
            spectra = given.view(np.complex64).transpose(2, 0, 1)
        separated: np.ndarray = self._spectra.synthesise(spectra)[:, : settings.segment_samples]
        if settings.has_waveforms:
            separated += outputs["stem_waveforms"].T
        return separated.reshape(len(self.indices), 2, -1)
