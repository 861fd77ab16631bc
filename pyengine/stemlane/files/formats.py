# SPDX-License-Identifier: MIT
"""Audio files by name: the formats that stems can be written in with their bounds, and endings of what can be read."""

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

    @property
    def needs_ffmpeg(self) -> bool:
        """True if libsndfile does not write it."""
        return self.bitrates is not None


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
# What files with sound are called, where a folder is searched. A file that is named is read whatever it is called.
ENDINGS = frozenset(
    {
        *(".aac", ".ac3", ".aif", ".aifc", ".aiff", ".ape", ".au", ".caf", ".dsf", ".flac", ".m4a", ".m4b", ".mka"),
        *(".mp2", ".mp3", ".mpc", ".oga", ".ogg", ".opus", ".rf64", ".snd", ".spx", ".tta", ".w64", ".wav", ".wave"),
        *(".wma", ".wv", ".asf", ".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"),
    }
)
