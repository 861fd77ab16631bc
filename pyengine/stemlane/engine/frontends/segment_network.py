# SPDX-License-Identifier: MIT
"""One network of a `segment` or `htdemucs` model with the transforms around it: samples of a segment to its stems'."""

import copy

import numpy as np

from stemlane.engine.session import SegmentSession, Shape
from stemlane.engine.spectral.segment_spectra import SegmentSpectra
from stemlane.manifests.model import Manifest
from stemlane.manifests.segments import NetworkFile, SegmentSettings


class SegmentNetwork:
    """Runs one network of a model; `indices` are those of the stems it gives.

    The network maps `spectrogram` (frames, bins, 4) to `stem_spectrograms` (frames, bins, stems x 4); the four are
    real and imaginary part of the left channel, then of the right. One that has waveforms maps `waveform` (samples, 2)
    to `stem_waveforms` (samples, stems x 2) beside them.
    """

    def __init__(self, manifest: Manifest, network: NetworkFile, threads: int):
        settings = self._settings = manifest.settings_of(SegmentSettings)
        self.indices = [manifest.separated_stems.index(stem) for stem in network.stems]
        self._spectra = SegmentSpectra(
            settings.fft_samples, settings.hop_samples, settings.transform_samples, bins=settings.network_bins,
            window=settings.window, normalised=settings.normalised, frames=settings.frames)  # fmt: skip
        frames, bins, channels = settings.segment_frames, settings.network_bins, 2 * len(self.indices)
        inputs: dict[str, Shape] = {"spectrogram": (frames, bins, 4)}
        outputs: dict[str, Shape] = {"stem_spectrograms": (frames, bins, 2 * channels)}
        if settings.has_waveforms:
            inputs["waveform"] = (settings.segment_samples, 2)
            outputs["stem_waveforms"] = (settings.segment_samples, channels)
        self._session = SegmentSession(manifest.folder / network.path, inputs=inputs, outputs=outputs, threads=threads)

    def clone(self) -> "SegmentNetwork":
        """The same network for another thread."""
        clone = copy.copy(self)
        clone._session = self._session.clone()  # noqa: SLF001 - its own class
        return clone

    def separate(self, mixture: np.ndarray) -> np.ndarray:
        """(2, segment) to (stems, 2, segment)."""
        settings, (inputs, outputs) = self._settings, (self._session.inputs, self._session.outputs)
        spectra = inputs["spectrogram"].view(np.complex64)  # (frames, bins, channels)
        padded = np.pad(mixture, ((0, 0), (0, settings.padding_samples))) if settings.padding_samples else mixture
        spectra[...] = self._spectra.analyse(padded).transpose(1, 2, 0)
        if settings.has_waveforms:
            inputs["waveform"][...] = mixture.T
        self._session.run()
        spectra = outputs["stem_spectrograms"].view(np.complex64).transpose(2, 0, 1)
        separated: np.ndarray = self._spectra.synthesise(spectra)[:, : settings.segment_samples]
        if settings.has_waveforms:
            separated = outputs["stem_waveforms"].T + separated
        return separated.reshape(len(self.indices), 2, -1)
