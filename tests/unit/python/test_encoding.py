# SPDX-License-Identifier: MIT
"""Every format that is written: lengths, rates, levels, tags; dither; and what a format cannot do."""

import errno
from pathlib import Path

import numpy as np
import pytest
import soundfile
from stemlane.errors import InputError
from stemlane.files.encoding import Encoding, dithered
from stemlane.files.formats import FORMATS
from stemlane.files.reading import AudioInput
from stemlane.files.writing import AudioOutput
from support.audio_files import music

NUM_SAMPLES = 200_000  # not all on one page: FFmpeg drops up to 128 samples of Vorbis streams of a single page
# AAC in MP4 ends with its last frame; MP3 with the decoder's delay where the last frame does not hold it.
PADDED_SAMPLES = {"m4a": 1024, "mp3": 529}


def write(path, samples, rate=44100, encoding=None, **options):
    with AudioOutput(path, rate, samples.shape[0], samples.shape[1], encoding=encoding, **options) as output:
        for start in range(0, samples.shape[1], 5001):
            output.write(samples[:, start : start + 5001])
    return path


@pytest.mark.parametrize("num_channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 96000, 192000, 384000])
@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_at_every_rate(tmp_path, file_format, rate, num_channels):
    samples = music(NUM_SAMPLES, num_channels)
    if (file_format, rate) == ("ogg", 384000):
        with pytest.raises(
            InputError, match=r"a.ogg: format ogg holds up to 192000 Hz, the recording has 384000 Hz; choose"
        ):
            write(tmp_path / "a.ogg", samples, rate)
        assert list(tmp_path.iterdir()) == []
        return
    path = write(tmp_path / f"a.{file_format}", samples, rate)
    with AudioInput(path) as source:
        found = np.concatenate(list(source), axis=1)
        assert source.num_channels == num_channels and source.warning == ""
        if file_format in ("wav", "flac", "ogg"):
            assert source.sample_rate == rate
        else:
            rates = {"mp3": (32000, 44100, 48000), "m4a": (32000, 44100, 48000, 96000), "opus": (48000,)}[file_format]
            assert source.sample_rate == min((known for known in rates if known >= rate), default=rates[-1])
        excess = found.shape[1] - NUM_SAMPLES * source.sample_rate / rate
    assert -1 <= excess <= PADDED_SAMPLES.get(file_format, 1)
    if source.sample_rate == rate:
        part = slice(3000, NUM_SAMPLES - 3000)
        error = found[:, part] - samples[:, part]
        level_db = 10 * np.log10(np.square(error).sum() / np.square(samples[:, part]).sum() + 1e-30)
        limits_db = {"wav": -200, "flac": -120, "mp3": -20, "m4a": -20, "ogg": -8, "opus": -15}
        assert level_db < limits_db[file_format]  # lossy formats against noise


@pytest.mark.parametrize("file_format, bits, step", [
    ("wav", "16", 2.0**-15), ("wav", "24", 2.0**-23), ("flac", "16", 2.0**-15), ("flac", 24, 2.0**-23),
])  # fmt: skip
def test_bits(tmp_path, file_format, bits, step):
    samples = music(30_000)
    path = write(tmp_path / "a", samples, encoding=Encoding(file_format, bits))
    assert soundfile.info(path).subtype == f"PCM_{bits}"
    with AudioInput(path) as source:
        found = np.concatenate(list(source), axis=1)
    assert np.abs(found - samples).max() <= (1.5 if bits == "16" else 1.0) * step  # rounding, and a step of dither


def test_dither_leaves_no_distortion_and_silence_alone():
    """The error of a tone softer than a step is noise, as loud as in theory, and has no part in step with the tone."""
    tone = (0.6 / 32768 * np.sin(np.arange(400_000) / 7)).astype(np.float32)
    error = dithered(tone, np.random.default_rng(1)) - tone * 32768.0
    assert np.var(error) == pytest.approx(
        3 / 12, rel=0.02
    )  # one part rounding, two triangular dither, in steps squared
    assert abs(np.dot(error, tone) / np.dot(tone, tone) / 32768) < 0.02
    assert abs(np.corrcoef(np.square(error), np.square(tone))[0, 1]) < 0.02
    kept = np.array([0, 1, -1, 32767, -32768], np.float32) / 32768
    np.testing.assert_array_equal(dithered(kept, np.random.default_rng(1)), kept * 32768)
    np.testing.assert_array_equal(dithered(np.float32([2, -2]), np.random.default_rng(1)), [32767, -32768])


def test_the_same_samples_give_the_same_file(tmp_path):
    samples = music(20_000)
    for file_format in FORMATS:
        encoding = Encoding(file_format, "16" if file_format in ("wav", "flac") else None)
        first, second = (write(tmp_path / name, samples, encoding=encoding).read_bytes() for name in "ab")
        if file_format not in ("ogg", "opus"):  # Ogg streams bear random numbers
            assert first == second, file_format


@pytest.mark.parametrize("file_format", FORMATS)
def test_tags(tmp_path, file_format):
    tags = {"title": "Größe", "artist": "Ähre", "comment": "stemlane 1"}
    path = write(tmp_path / f"a.{file_format}", music(5000), tags=tags)
    with AudioInput(path) as source:
        assert {name: source.tags.get(name) for name in tags} == tags


@pytest.mark.parametrize("values, words", [
    (("aiff",), "format 'aiff' cannot be written, should be one of: wav, flac, ogg, mp3, m4a, opus"),
    (("flac", "32f"), "format flac was asked for bits '32f', should be one of: 16, 24"),
    (("wav", 8), "format wav was asked for bits 8, should be one of: 16, 24, 32f"),
    (("mp3", "16"), "format mp3 was asked for bits '16', which it does not have"),
    (("mp3", None, 500), "format mp3 was asked for bit rate 500, should be from 32 to 320 kbit/s"),
    (("wav", None, 128), "format wav was asked for bit rate 128, which it does not have"),
])  # fmt: skip
def test_what_formats_do_not_have(values, words):
    with pytest.raises(InputError) as caught:
        Encoding(*values)
    assert str(caught.value) == words


@pytest.mark.parametrize("bitrate, size", [(64, 24_000), (256, 96_000)])
def test_bitrate(tmp_path, bitrate, size):
    path = write(tmp_path / "a.mp3", music(3 * 44100), encoding=Encoding("mp3", None, bitrate))
    assert path.stat().st_size == pytest.approx(size, rel=0.1)


@pytest.mark.parametrize("file_format", ["mp3", "m4a", "opus"])
@pytest.mark.parametrize("after_bytes", [0, 3000])
def test_a_full_disk_is_said_of_ffmpegs_formats_too(tmp_path, monkeypatch, file_format, after_bytes):
    real_open = Path.open

    class FullDisk:
        """A file that holds so many bytes and no more."""

        def __init__(self, file):
            self._file = file

        def write(self, data):
            if self._file.tell() + len(data) > after_bytes:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self._file.write(data)

        def __getattr__(self, name):
            return getattr(self._file, name)

    monkeypatch.setattr(
        Path,
        "open",
        lambda path, mode="r", **rest: FullDisk(real_open(path, mode)) if mode == "wb" else real_open(path, mode),
    )
    with pytest.raises(InputError, match=rf"a.{file_format}: cannot be written, the disk is full \("):
        write(tmp_path / f"a.{file_format}", music(100_000))
    assert list(tmp_path.iterdir()) == []
