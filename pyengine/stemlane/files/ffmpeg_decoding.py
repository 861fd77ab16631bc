# SPDX-License-Identifier: MIT
"""Decodes any audio file, or the sound of a video, through FFmpeg's libraries, which PyAV brings."""

from collections.abc import Iterator
from fractions import Fraction
from io import BufferedReader

import av
import numpy as np

from stemlane.errors import InputError, one_line
from stemlane.files.covers import picture_of

# What FFmpeg may take a file for. Playlists, which open other files and addresses, and pictures are not among them.
_CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,avr,caf,dsf,dts,eac3,flac,flv,gsm,iff,ircam,matroska,mov,mp3,mpc,mpc8,mpeg,mpegts,"
    "mxf,nistsphere,ogg,oma,pvf,rm,shn,tak,truehd,tta,voc,w64,wav,wv,xwma"
)
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}
# For tags alone: nothing is decoded, and long tags in front are not probed again and again for a format.
_TAG_OPTIONS = {"codec_whitelist": "none", "analyzeduration": "1", "formatprobesize": "4096"}
_ROUNDING_SECONDS = 0.1
_EXACT = ("flac", "tta", "wv")  # state how many samples they hold, which others may round
_STATED = (*_EXACT, "aiff", "au", "caf", "mov,mp4,m4a,3gp,3g2,mj2", "w64", "wav")  # state it, do not estimate it
_UNKNOWN = "no format that is known, or damaged"
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")  # lie between the frames of joined files and are no damage


class FfmpegDecoder:
    """What is in one file; see `stemlane.files.decoding.Decoder`.

    Parameters
    ----------
    file
        Open for reading; its position is lost.
    stream
        Which of its streams of sound, counted from 0; None for the one that players play.
    reason
        Known already why it may be unreadable, or nothing.
    """

    def __init__(self, file: BufferedReader, *, stream: int | None = None, reason: str = ""):
        self.cut_off = self.damage = ""
        self._file, self._index, self._reason = file, stream, reason
        with self._open() as container:
            found = _audio_stream(container, stream)
            if found.codec_context is None:  # FFmpeg knows no decoder for what its header says
                raise InputError(f"cannot be read as audio ({reason or _UNKNOWN})")
            self._format = container.format.name
            self.sample_rate, self.num_channels = found.codec_context.sample_rate, found.codec_context.channels
            seconds: float | Fraction = 0
            if found.duration is not None and found.time_base is not None:
                seconds = found.duration * found.time_base
            elif container.duration is not None:
                seconds = container.duration / av.time_base
            self.num_stated = max(round((seconds or 0) * self.sample_rate), 0)
            self.tags = _tags(container, found)
        self.tolerance_seconds = (
            0.0 if self._format in _EXACT else _ROUNDING_SECONDS if self._format in _STATED else None
        )
        self.overshoots = self._format == "ogg"  # FFmpeg does not shorten a stream of a single block

    def _open(self) -> av.container.InputContainer:
        return _opened(self._file, self._reason)

    def cover(self, file: BufferedReader) -> bytes:
        """The picture in the same file, opened once more: the sound may be half read."""
        with _opened(file) as opened:
            return picture_of(opened)

    def pieces(self) -> Iterator[np.ndarray]:
        """What each frame holds; what is damaged is left out, or silent where the rest knows its place."""
        position, damage = 0, _Damage()
        with self._open() as container:
            stream = _audio_stream(container, self._index)
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
                self.damage = f"cannot be read after sample {position} ({_reason(error)})"
            yield from converter.rest()
        if damage.num_waiting and self._format not in (*_STATED, "mp3"):  # behind MP3 lies what players ignore
            self.cut_off = "is cut off, its last packet cannot be read"
        if damage.num_packets:
            self.damage = (
                f"is damaged, {damage.num_packets} of its packets are left out, the first after sample {damage.first}"
            )

    def _gap(self, frame: av.AudioFrame, position: int) -> int:
        """Samples missing before a frame that knows its place: silence instead keeps what follows in its own."""
        if self._format not in _EXACT or frame.time is None:
            return 0
        return max(min(round(frame.time * self.sample_rate), self.num_stated) - position, 0)


def read_tags(file: BufferedReader) -> dict[str, str]:
    """The tags of an open file, in lower case, without a look at its sound: a hundredth of the time.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    with _opened(file, **_TAG_OPTIONS) as container:
        return _tags(container, _audio_stream(container, None))


class _Source:
    """What PyAV reads from: of a place before the first byte, which it looks for in short files, it is told -1.

    It prints what a seek raises.
    """

    def __init__(self, file: BufferedReader):
        self.name, self.read, self.tell, self._file = file.name, file.read, file.tell, file

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            return -1


def _opened(file: BufferedReader, reason: str = "", **options: str) -> av.container.InputContainer:
    file.seek(0)
    try:
        return av.open(_Source(file), "r", options=_OPTIONS | options, metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise InputError(f"cannot be read as audio ({reason or _reason(error)})") from None


def _tags(container: av.container.InputContainer, stream: av.AudioStream) -> dict[str, str]:
    return {name.lower(): text for name, text in {**container.metadata, **stream.metadata}.items() if text}


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
        if all(found.type == "audio" for found in container.streams):  # none, or one that says nothing: a guess by name
            raise InputError(f"cannot be read as audio ({_UNKNOWN})")
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
    if isinstance(error, (av.InvalidDataError, av.ArgumentError, av.EOFError)):  # EOF where only the name fits
        return _UNKNOWN
    text = (isinstance(error, OSError) and error.strerror) or one_line(error)
    return text.strip().rstrip(".")
