# SPDX-License-Identifier: MIT
"""libsndfile's encoders: WAV, FLAC and Ogg Vorbis."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from stemlane.files import covers
from stemlane.files.encoding import BLOCK_SAMPLES, DITHER_SEED, Encoding, dithered

_LARGEST_WAV_BYTES = 4_000_000_000  # a WAV header counts in 32 bits; larger files are written as RF64
_TAGS = ("title", "artist", "album", "date", "genre", "tracknumber", "comment")  # that libsndfile can write
_ADD_COVER = {"flac": covers.add_to_flac, "wav": covers.add_to_wav, "ogg": covers.add_to_ogg}
_SUBTYPES = {"32f": "FLOAT", "24": "PCM_24", "16": "PCM_16"}


class SndfileWriter:
    """WAV, FLAC and Ogg Vorbis."""

    def __init__(
        self, path: Path, encoding: Encoding, sample_rate: int, num_channels: int, num_samples: int,
        tags: Mapping[str, str], cover: bytes,
    ):  # fmt: skip
        self._cover = cover
        self._add_cover = _ADD_COVER[encoding.file_format]
        kind = encoding.file_format.upper()
        self._bits = str(encoding.bits)
        width = {"32f": 4, "24": 3, "16": 2}.get(self._bits, 0)
        if kind == "WAV" and num_samples * num_channels * width > _LARGEST_WAV_BYTES:
            kind = "RF64"
        self._file = soundfile.SoundFile(
            os.fsencode(path), "w", int(sample_rate), num_channels,
            subtype=_SUBTYPES.get(self._bits, "VORBIS"), format=kind,
        )  # fmt: skip
        for name, text in tags.items():
            if name in _TAGS:
                setattr(self._file, name, text)
        self._random = np.random.default_rng(DITHER_SEED) if self._bits == "16" else None
        self._num_written, self._path = 0, path

    def write(self, block: np.ndarray) -> None:
        """Append (channels, samples) float32."""
        for start in range(0, block.shape[1], BLOCK_SAMPLES):
            piece = block[:, start : start + BLOCK_SAMPLES].T
            self._file.write(piece if self._random is None else dithered(piece, self._random))
        self._num_written += block.shape[1]

    def close(self) -> None:
        """Finish the file. RuntimeError if its end is missing."""
        self._file.close()
        if not self._holds_all():
            raise RuntimeError("the end is missing")
        if self._cover and self._num_written:  # an empty Vorbis file has not even headers
            self._add_cover(self._path, self._cover)

    def _holds_all(self) -> bool:
        """Whether the last sample is there: closing a file, libsndfile says nothing of a full disk."""
        try:
            with soundfile.SoundFile(os.fsencode(self._path)) as file:
                if file.frames != self._num_written:
                    return False
                file.seek(max(self._num_written - 1, 0))
                return len(file.read(1)) == min(self._num_written, 1)
        except (OSError, RuntimeError):
            return self._num_written == 0  # an empty Vorbis file cannot be opened
