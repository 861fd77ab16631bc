# SPDX-License-Identifier: MIT
"""Reads audio files block by block through FFmpeg's libraries, which PyAV brings: the only module that decodes.

libsndfile is not used here: through python-soundfile it seeks after every block, which drops samples in MP3, and it
reads damaged and cut-off files without a word. Channels come first inside Stemlane.
"""

import functools
import hashlib
from collections.abc import Iterator
from fractions import Fraction
from io import BufferedReader
from pathlib import Path, PurePath
from typing import Self

import av
import numpy as np

from stemlane.audio_checks import check_finite, check_stream, rechunk
from stemlane.errors import InputError, one_line
from stemlane.files.completeness import missing_end
from stemlane.files.covers import picture_of

BLOCK_SAMPLES = 16384
# What files with sound are called, where a folder is searched. A file that is named is read whatever it is called.
ENDINGS = frozenset(
    {
        *(".aac", ".ac3", ".aif", ".aifc", ".aiff", ".ape", ".au", ".caf", ".dsf", ".flac", ".m4a", ".m4b", ".mka"),
        *(".mp2", ".mp3", ".mpc", ".oga", ".ogg", ".opus", ".rf64", ".snd", ".spx", ".tta", ".w64", ".wav", ".wave"),
        *(".wma", ".wv", ".asf", ".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"),
    }
)
# What FFmpeg may take a file for. Playlists, which open other files and addresses, and pictures are not among them.
_CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,avr,caf,dsf,dts,eac3,flac,flv,gsm,iff,ircam,matroska,mov,mp3,mpc,mpc8,mpeg,mpegts,"
    "mxf,nistsphere,ogg,oma,pvf,rm,shn,tak,truehd,tta,voc,w64,wav,wv,xwma"
)
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}
_EXACT = ("flac", "tta", "wv")  # state how many samples they hold, which others may round
_STATED = (*_EXACT, "aiff", "au", "caf", "mov,mp4,m4a,3gp,3g2,mj2", "w64", "wav")  # state it, do not estimate it
_ROUNDING_SECONDS = 0.1
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")  # lie between the frames of joined files and are no damage


class AudioInput:
    """An audio file opened for reading, or the sound of a video, checked to be something Stemlane can separate.

    Parameters
    ----------
    start_seconds, duration_seconds
        The part that is read, exact to the sample; to the end if `duration_seconds` is None or reaches behind it.
    stream
        Which of its streams of sound, counted from 0; None for the one that players play.
    shown
        What messages call the file, if it is a copy.

    Attributes
    ----------
    sample_rate, num_channels
        Of the file.
    num_samples
        Per channel, of the part that is read, as the file's header states it. Some formats only estimate it, 0 is not
        known.
    tags
        Title, artist and so on, in lower case, as FFmpeg calls them.
    """

    def __init__(
        self, path: str | Path, *, start_seconds: float = 0.0, duration_seconds: float | None = None,
        stream: int | None = None, shown: str | PurePath | None = None,
    ):  # fmt: skip
        self.path, self.shown = Path(path), path if shown is None else shown
        self._stream = stream
        self._start_seconds, self._duration_seconds = start_seconds, duration_seconds
        self._cut_off = self._short = self._damage = ""
        self._file = _opened(self.path, self.shown)
        try:
            self._cut_off = missing_end(self._file)
            self._look()
        except BaseException as error:
            self._file.close()
            if isinstance(error, InputError):
                raise InputError(f"{self.shown}: {error}") from None
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read from the start; each loop reads anew."""
        return self.blocks()

    @property
    def warning(self) -> str:
        """Text saying that the end is missing or parts are damaged, or nothing. Complete once all has been read."""
        words = [text for text in (self._cut_off or self._short, self._damage) if text]
        return f"{self.shown}: {'; '.join(words)}; what is there is used" if words else ""

    def blocks(self, block_samples: int = BLOCK_SAMPLES) -> Iterator[np.ndarray]:
        """Read from the start: yields (channels, samples) float32, all of `block_samples` but the last."""
        position = 0
        try:
            for block in rechunk(self._part(), block_samples):
                check_finite(block, position)
                yield block
                position += block.shape[1]
        except InputError as error:
            raise InputError(f"{self.shown}: {error}") from None
        if position == 0:
            raise InputError(f"{self.shown}: holds 0 samples" + self._from * bool(self._first_sample))

    @functools.cached_property
    def cover(self) -> bytes:
        """The picture of a recording, JPEG or PNG, or nothing."""
        try:
            # A reader of its own: the sound may be half read.
            with (
                self.path.open("rb") as file,
                av.open(file, "r", options=_OPTIONS, metadata_errors="replace") as opened,
            ):
                return picture_of(opened)
        except (OSError, ValueError):  # a damaged picture is no reason to refuse the sound
            return b""

    @property
    def _from(self) -> str:
        return f" from {self._start_seconds:g} s on, it ends before that"

    def _open(self) -> av.container.InputContainer:
        self._file.seek(0)
        try:
            return av.open(self._file, "r", options=_OPTIONS, metadata_errors="replace")
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = self._cut_off or _reason(error)
            raise InputError(f"cannot be read as audio ({reason})") from None

    def _look(self) -> None:
        """Take rate, channels and length from the first frame and the header."""
        with self._open() as container:
            stream = _audio_stream(container, self._stream)
            self._format = container.format.name
            self.sample_rate, self.num_channels = stream.codec_context.sample_rate, stream.codec_context.channels
            seconds: float | Fraction = 0
            if stream.duration is not None and stream.time_base is not None:
                seconds = stream.duration * stream.time_base
            elif container.duration is not None:
                seconds = container.duration / av.time_base
            self._num_stated = max(round((seconds or 0) * self.sample_rate), 0)
            check_stream(self.sample_rate, self.num_channels)
            tags = {**container.metadata, **stream.metadata}
            self.tags = {name.lower(): text for name, text in tags.items() if text}
        self._first_sample = round(self._start_seconds * self.sample_rate)
        self._num_wanted = None
        self.num_samples = max(self._num_stated - self._first_sample, 0)
        if self._duration_seconds is not None:
            self._num_wanted = max(round(self._duration_seconds * self.sample_rate), 1)
            self.num_samples = min(self.num_samples, self._num_wanted)
        if not any(chunk.shape[1] for chunk in self._decoded()):
            raise InputError("holds 0 samples")

    def _part(self) -> Iterator[np.ndarray]:
        """The part that was asked for, in pieces of any length."""
        num_to_skip, num_left = self._first_sample, self._num_wanted
        for piece in self._decoded():
            num_skipped = min(num_to_skip, piece.shape[1])
            num_to_skip -= num_skipped
            piece = piece[:, num_skipped:]
            if num_left is not None:
                piece = piece[:, :num_left]
                num_left -= piece.shape[1]
            if piece.shape[1]:
                yield piece
            if num_left == 0:
                return

    def _decoded(self) -> Iterator[np.ndarray]:
        """All samples as float32 (channels, samples) in pieces of any length; says in the end what was missing."""
        position, waiting, num_waiting = 0, [], 0
        for piece in self._pieces():
            waiting.append(piece)
            num_waiting += piece.shape[1]
            if num_waiting >= BLOCK_SAMPLES:
                position += num_waiting
                yield np.concatenate(waiting, axis=1)
                waiting, num_waiting = [], 0
        if waiting:
            rest = np.concatenate(waiting, axis=1)
            if position == 0 and self._format == "ogg" and self._num_stated:
                rest = rest[:, : self._num_stated]  # FFmpeg does not shorten a stream of a single block
            position += rest.shape[1]
            yield rest
        missing = self._num_stated - position
        tolerance = 0 if self._format in _EXACT else _ROUNDING_SECONDS * self.sample_rate
        if self._format in _STATED and missing > tolerance:
            found, stated = position / self.sample_rate, self._num_stated / self.sample_rate
            self._short = f"is cut off or damaged, {found:.3f} of {stated:.3f} s can be read"

    def _pieces(self) -> Iterator[np.ndarray]:
        """What each frame holds; what is damaged is left out, or silent where the rest knows its place."""
        position, damage = 0, _Damage()
        with self._open() as container:
            stream = _audio_stream(container, self._stream)
            if self._format in _EXACT:
                stream.codec_context.options = {"err_detect": "crccheck+explode"}  # or else damage becomes noise
            converter = _Converter(self.sample_rate, self.num_channels)
            try:
                for frame in damage.frames(container.demux(stream)):
                    gap = self._gap(frame, position)
                    damage.settle(position, gap)
                    if gap:
                        yield np.zeros((self.num_channels, gap), np.float32)
                    position += gap
                    for piece in converter.convert(frame):
                        position += piece.shape[1]
                        yield piece
            except OSError as error:
                self._damage = f"cannot be read after sample {position} ({_reason(error)})"
            yield from converter.rest()
        if damage.num_waiting and self._format not in (*_STATED, "mp3"):  # behind MP3 lies what players ignore
            self._short = "is cut off, its last packet cannot be read"
        if damage.num_packets:
            self._damage = (
                f"is damaged, {damage.num_packets} of its packets are left out, the first after sample {damage.first}"
            )

    def _gap(self, frame: av.AudioFrame, position: int) -> int:
        """Samples missing before a frame that knows its place: silence instead keeps what follows in its own."""
        if self._format not in _EXACT or frame.time is None:
            return 0
        return max(min(round(frame.time * self.sample_rate), self._num_stated) - position, 0)


def content_of(path: Path) -> str:
    """What tells this content of a file from another: its hash.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    with _opened(path, path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(path: Path, shown: str | PurePath) -> BufferedReader:
    try:
        if not path.is_file():
            raise InputError(f"{shown}: " + ("is not a file" if path.exists() else "no such file"))
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{shown}: cannot be read as audio ({error.strerror})") from None


class _Damage:
    """Counts packets that cannot be decoded, once sound has come behind them; what trails the sound is no damage."""

    def __init__(self) -> None:
        self.num_packets = self.num_waiting = 0
        self.first = 0  # sample of the first one

    def frames(self, packets: "Iterator[av.Packet[av.AudioStream]]") -> Iterator[av.AudioFrame]:
        """What can be decoded of the packets; the last, empty one fetches what a decoder still holds."""
        while True:
            try:
                packet = next(packets, None)
            except av.InvalidDataError:  # the container itself ends in nonsense
                self.num_waiting += 1
                return
            if packet is None:
                return
            try:
                frames = packet.decode()
            except av.InvalidDataError:
                self.num_waiting += not bytes(packet).startswith(_TAGS)
                continue
            num_waiting = self.num_waiting
            if not packet.size:
                self.num_waiting = 0
            yield from frames
            if not packet.size:
                self.num_waiting = num_waiting

    def settle(self, position: int, gap: int) -> None:
        """Count what came before a frame that begins at a sample, with so many missing before it."""
        num_found = self.num_waiting or bool(gap)  # some decoders leave out what is damaged without a word
        if num_found and not self.num_packets:
            self.first = position
        self.num_packets += num_found
        self.num_waiting = 0


def _audio_stream(container: av.container.InputContainer, index: int | None) -> av.AudioStream:
    if index is not None and index >= len(container.streams.audio):
        raise InputError(f"holds {len(container.streams.audio)} streams of sound, should have {index + 1}")
    stream = container.streams.best("audio") if index is None else container.streams.audio[index]
    if not isinstance(stream, av.AudioStream):
        raise InputError("holds no sound")
    return stream


class _Converter:
    """Makes float32 of one rate and number of channels of whatever frames come: joined files may change both."""

    def __init__(self, sample_rate: int, num_channels: int):
        self._sample_rate, self._num_channels = sample_rate, num_channels
        self._kind: tuple[str, str, int] | None = None
        self._resampler: av.AudioResampler | None = None

    def convert(self, frame: av.AudioFrame) -> Iterator[np.ndarray]:
        kind = frame.format.name, frame.layout.name, frame.sample_rate
        if kind != self._kind:
            yield from self.rest()
            layout = frame.layout if frame.layout.nb_channels == self._num_channels else _LAYOUTS[self._num_channels]
            self._kind, self._resampler = kind, av.AudioResampler("flt", layout, self._sample_rate)
        if self._resampler is not None:
            yield from map(self._array, self._resampler.resample(frame))

    def rest(self) -> Iterator[np.ndarray]:
        if self._resampler is not None:
            yield from map(self._array, self._resampler.resample(None))

    def _array(self, frame: av.AudioFrame) -> np.ndarray:
        # One plane: PyAV reads past the end of more than eight planes.
        return frame.to_ndarray().reshape(-1, self._num_channels).T


_LAYOUTS = {1: "mono", 2: "stereo"}


def _reason(error: Exception) -> str:
    if isinstance(error, (av.InvalidDataError, av.ArgumentError)):
        return "no format that is known, or damaged"
    text = (isinstance(error, OSError) and error.strerror) or one_line(error)
    return text.strip().rstrip(".")
