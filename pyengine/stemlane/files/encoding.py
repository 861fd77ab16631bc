# SPDX-License-Identifier: MIT
"""How stems are written. The encoders are libsndfile's, in `sndfile_encoding`, and FFmpeg's, in `ffmpeg_encoding`."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stemlane.arguments import is_count, shown
from stemlane.errors import InputError
from stemlane.files import ffmpeg
from stemlane.files.formats import FORMATS, KNOWN_FORMATS, STEM_FILE

BLOCK_SAMPLES = 16384  # libsndfile's Vorbis encoder overflows the stack on much larger writes
DITHER_SEED = 20_011  # the same noise each time: the same recording gives the same file


@dataclass(frozen=True)
class Encoding:
    """How stems are written.

    Attributes
    ----------
    file_format
        `wav`, `flac`, `ogg` (Vorbis), `mp3`, `m4a` (AAC) or `opus`; or `stem.mp4`, all stems in one file.
    bits
        `16`, with dither, `24`, or `32f`, float, which keeps samples above full scale; None for 32f in WAV, 24 in FLAC.
        In a stem file 16 and 24 are ALAC, None is AAC.
    bitrate
        kbit/s, for mp3, m4a, opus and a stem file's AAC; None for 320, 256, 192 and 256.
    """

    file_format: str = "wav"
    bits: str | int | None = None
    bitrate: int | None = None

    def __post_init__(self) -> None:
        name = str(self.file_format).lower()
        known = KNOWN_FORMATS.get(name)
        if known is None:
            raise InputError(
                f"format {shown(self.file_format)} cannot be written, should be one of: {', '.join(FORMATS)}"
            )
        if known.needs_ffmpeg and not ffmpeg.IS_THERE:
            others = ", ".join(name for name in FORMATS if not KNOWN_FORMATS[name].needs_ffmpeg)
            raise InputError(f"format {name} {ffmpeg.missing_text()}. Formats that need none: {others}")
        object.__setattr__(self, "file_format", name)
        if self.bits is not None and str(self.bits) not in known.bits:
            allowed = f"should be one of: {', '.join(sorted(known.bits))}" if known.bits else "which it does not have"
            raise InputError(f"format {name} was asked for bits {shown(self.bits)}, {allowed}")
        usual_bits = None if name == STEM_FILE else next(iter(known.bits), None)
        object.__setattr__(self, "bits", str(self.bits) if self.bits is not None else usual_bits)
        low, high = known.bitrates or (0, 0)
        if self.bitrate is not None and not is_count(self.bitrate, low, high):
            allowed = f"should be from {low} to {high} kbit/s" if high else "which it does not have"
            raise InputError(f"format {name} was asked for bit rate {shown(self.bitrate)}, {allowed}")
        if self.bits is not None and self.bitrate is not None:
            raise InputError(f"format {name} was asked for bits {self.bits} and a bit rate; leave one of the two out")

    @property
    def usual_bitrate(self) -> int:
        """kbit/s if none is asked for, 0 where there is no bit rate."""
        return KNOWN_FORMATS[self.file_format].bitrate

    @property
    def keeps_peaks(self) -> bool:
        """Whether samples above full scale survive."""
        return self.bits == "32f"


class Writer(Protocol):
    """Writes one file."""

    def write(self, block: np.ndarray) -> None:
        """Append (channels, samples) float32."""

    def close(self) -> None:
        """Finish the file."""


def dithered(samples: np.ndarray, random: "np.random.Generator") -> np.ndarray:
    """Float samples as int16, with triangular noise of two steps in all, so that what is rounded off is no distortion.

    Samples that 16 bits hold exactly, silence above all, stay as they are: nothing is rounded there.
    """
    scaled = samples.astype(np.float64) * 32768
    noise = random.random(samples.shape) - random.random(samples.shape)
    rounded = np.where(scaled == np.rint(scaled), scaled, np.rint(scaled + noise))
    return np.clip(rounded, -32768, 32767).astype(np.int16)
