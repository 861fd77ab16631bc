# SPDX-License-Identifier: MIT
"""The formats that stems can be written in: names and bounds, for who asks without FFmpeg at hand."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """What a format can hold, and which encoder writes it."""

    bits: tuple[str, ...] = ()  # the first is the usual one
    codec: str = ""  # FFmpeg's encoder; libsndfile writes where there is none
    bitrates: tuple[int, int] | None = None  # lowest and highest, kbit/s
    bitrate: int = 0  # the usual one
    rates: tuple[int, ...] = ()  # Hz, where not all are possible and the next higher one is taken
    highest_rate: int = 655_350  # Hz; FLAC's, and more than anything is read at


AAC_RATES = (32000, 44100, 48000, 88200, 96000)
STEM_FILE = "stem.mp4"  # all stems of a recording in one file, see `stemlane.files.stem_files`
KNOWN_FORMATS = {
    "wav": Format(bits=("32f", "24", "16")),
    "flac": Format(bits=("24", "16")),
    "ogg": Format(highest_rate=192_000),  # libsndfile crashes where libvorbis knows no setting
    # Transparent to most ears, and what the originals' command lines have: Demucs 320 for MP3.
    "mp3": Format(codec="libmp3lame", bitrates=(32, 320), bitrate=320, rates=(32000, 44100, 48000)),
    "m4a": Format(codec="aac", bitrates=(32, 512), bitrate=256, rates=AAC_RATES),
    "opus": Format(codec="libopus", bitrates=(32, 510), bitrate=192, rates=(48000,)),
    STEM_FILE: Format(bits=("16", "24"), bitrates=(32, 512), bitrate=256),  # ALAC where bits are named, else AAC
}
FORMATS = tuple(name for name in KNOWN_FORMATS if name != STEM_FILE)  # of one stem a file
