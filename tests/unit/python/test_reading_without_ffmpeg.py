# SPDX-License-Identifier: MIT
"""Audio files where FFmpeg is not there, as in a plugin's own Python: the samples are the same, and limits are said."""

import struct

import numpy as np
import pytest
import soundfile
from stemlane.errors import InputError
from stemlane.files import ffmpeg
from stemlane.files.completeness import NUM_XING_BYTES, frame_bytes, xing_bytes
from stemlane.files.encoding import Encoding
from stemlane.files.reading import AudioInput
from stemlane.files.writing import AudioOutput
from support.audio_files import RATE, decoded, encode, music, vbr_mp3

NUM_SAMPLES = 600_000  # many blocks, and many places to seek to for who would
FLOAT32 = 2e-5  # two decoders of float32


@pytest.fixture(autouse=True)
def no_ffmpeg(monkeypatch):
    monkeypatch.setattr(ffmpeg, "IS_THERE", False)


def read(path, **options):
    """All samples of a file and the warning."""
    with AudioInput(path, **options) as source:
        samples = np.concatenate(list(source.blocks()), axis=1)
        return samples, source.warning.removeprefix(f"{path}: ")


@pytest.mark.parametrize("ending, subtype", [
    ("wav", "FLOAT"), ("wav", "PCM_16"), ("rf64", "PCM_24"), ("w64", "PCM_24"), ("flac", "PCM_24"), ("aiff", "PCM_16"),
    ("au", "FLOAT"), ("caf", "PCM_24"),
])  # fmt: skip
def test_every_sample_of_files_that_lose_nothing(tmp_path, ending, subtype):
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, music(NUM_SAMPLES).T, RATE, subtype=subtype)
    samples, warning = read(path)
    assert (samples.shape, warning) == ((2, NUM_SAMPLES), "")
    # The writer rounds down, by less than a step of 16 or 24 bits.
    np.testing.assert_allclose(samples, music(NUM_SAMPLES), rtol=0, atol=2.0**-15 if subtype == "PCM_16" else 2.0**-23)
    part, _ = read(path, start_seconds=1.0, duration_seconds=2.0)
    np.testing.assert_array_equal(part, samples[:, RATE : 3 * RATE])


# RFC 6716 leaves decoders of Opus some freedom: FFmpeg's and libopus differ by up to 5e-4 here.
@pytest.mark.parametrize("codec, ending, tolerance", [("vorbis", "ogg", FLOAT32), ("libopus", "opus", 1e-3)])
def test_ogg_is_what_ffmpeg_makes_of_it(tmp_path, codec, ending, tolerance):
    path = tmp_path / f"a.{ending}"
    if codec == "vorbis":
        soundfile.write(path, music(NUM_SAMPLES).T, RATE, format="OGG", subtype="VORBIS")
    else:
        encode(path, music(48000 * 4), codec, rate=48000)
    samples, warning = read(path)
    assert warning == ""
    np.testing.assert_allclose(samples, decoded(path)[:, : samples.shape[1]], rtol=0, atol=tolerance)
    assert samples.shape[1] == (NUM_SAMPLES if codec == "vorbis" else 48000 * 4)


@pytest.mark.parametrize("xing", [True, False])
def test_mp3_of_variable_bit_rate_is_read_to_its_end_without_dropouts(tmp_path, xing):
    path = vbr_mp3(tmp_path / "a.mp3", music(NUM_SAMPLES), xing=xing)
    samples, warning = read(path)
    expected = decoded(path)
    assert (samples.shape, warning) == (expected.shape, "")
    np.testing.assert_allclose(samples, expected, rtol=0, atol=FLOAT32)


def test_tags_survive(tmp_path):
    path = tmp_path / "a.flac"
    tags = {"title": "Zwölf", "artist": "Erika", "comment": "stemlane 12"}
    with AudioOutput(path, RATE, 2, tags=tags) as output:
        output.write(music(5000))
    with AudioInput(path) as source:
        assert source.tags.items() >= tags.items() and source.cover == b""


@pytest.mark.parametrize("ending, missing", [
    ("wav", "is cut off, {missing} of {size} bytes are missing"),
    ("flac", "is cut off or damaged, "),
    ("ogg", "is cut off, its last page does not end the stream"),
    ("mp3", "bytes are missing"),
])  # fmt: skip
def test_a_missing_end_is_said(tmp_path, ending, missing):
    path = tmp_path / f"a.{ending}"
    if ending == "mp3":
        vbr_mp3(path, music(NUM_SAMPLES))
    else:
        soundfile.write(path, music(NUM_SAMPLES).T, RATE, subtype={"wav": "FLOAT", "flac": "PCM_24"}.get(ending))
    content = path.read_bytes()
    whole, _ = read(path)
    path.write_bytes(content[: len(content) * 2 // 3])
    samples, warning = read(path)
    size = len(content)
    assert missing.format(missing=size - size * 2 // 3, size=size) in warning
    assert warning.endswith("what is there is used")
    assert NUM_SAMPLES // 2 < samples.shape[1] < NUM_SAMPLES
    np.testing.assert_array_equal(samples, whole[:, : samples.shape[1]])


def test_damage_inside_ends_the_reading_with_a_word(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, music(NUM_SAMPLES).T, RATE, subtype="PCM_24")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    samples, warning = read(path)
    assert f"cannot be read after sample {samples.shape[1]}" in warning
    np.testing.assert_allclose(samples, music(NUM_SAMPLES)[:, : samples.shape[1]], rtol=0, atol=2.0**-23)


def test_what_cannot_be_read_is_named_with_the_remedy(tmp_path):
    encode(tmp_path / "a.m4a", music(RATE), "aac")
    encode(tmp_path / "a.mkv", music(RATE), "aac")
    path = vbr_mp3(tmp_path / "joined.mp3", music(RATE))
    path.write_bytes(2 * path.read_bytes())
    soundfile.write(tmp_path / "joined.ogg", music(RATE).T, RATE, format="OGG", subtype="VORBIS")
    (tmp_path / "joined.ogg").write_bytes(2 * (tmp_path / "joined.ogg").read_bytes())
    (tmp_path / "junk.raw").write_bytes(np.random.default_rng(7).bytes(5000))
    (tmp_path / "text.wav").write_text("hello", encoding="utf-8")
    (tmp_path / "page.html").write_text("<html>", encoding="utf-8")
    soundfile.write(tmp_path / "a.mat", music(RATE).T, RATE, format="MAT5", subtype="FLOAT")
    for name, words in {
        "a.m4a": "M4A needs FFmpeg: run 'pip install av'",
        "a.mkv": "MKV needs FFmpeg: run 'pip install av'",
        "a.mat": "MAT5 needs FFmpeg: run 'pip install av'",
        "joined.mp3": "holds several MP3 files in one, which needs FFmpeg: run 'pip install av'",
        "joined.ogg": "holds several Ogg files in one, which needs FFmpeg: run 'pip install av'",
        "junk.raw": "cannot be read as audio (no format that is known, or damaged)",
        "text.wav": "cannot be read as audio (no format that is known, or damaged)",
        "page.html": "cannot be read as audio (no format that is known, or damaged)",
    }.items():
        with pytest.raises(InputError) as caught:
            AudioInput(tmp_path / name)
        assert str(caught.value) == f"{tmp_path / name}: {words}"
    soundfile.write(tmp_path / "a.wav", music(RATE).T, RATE)
    with pytest.raises(InputError, match="a.wav: holds 1 stream of sound, should have 3"):
        AudioInput(tmp_path / "a.wav", stream=2)


def ape_tag(num_bytes, *, header):
    def part(flags):
        return struct.pack("<8sIIII8x", b"APETAGEX", 2000 if header else 1000, num_bytes + 32, 1, flags)

    return part(0xA0000000) * header + b"x" * num_bytes + part(0x80000000 * header)


TAGS = {
    "id3v1": b"TAG" + bytes(125),
    "id3v2": b"ID3\4\0\0\0\0\2\0" + bytes(256),
    "ape": ape_tag(300, header=True),
    "ape1": ape_tag(300, header=False),
    "ape and id3v1": ape_tag(300, header=True) + b"TAG" + bytes(125),
}


@pytest.mark.parametrize("tag", TAGS.values(), ids=TAGS)
def test_joined_mp3_with_tags_between_are_seen(tmp_path, tag):
    path = vbr_mp3(tmp_path / "a.mp3", music(RATE))
    path.write_bytes(path.read_bytes() + tag + path.read_bytes())
    with pytest.raises(InputError, match="holds several MP3 files in one"):
        AudioInput(path)


def without_length(path, rate: int, channels: int) -> bytes:
    """An MP3 file of a second without the first frame, which says how long it is."""
    soundfile.write(path, music(rate)[:channels].T, rate, format="MP3")
    content = path.read_bytes()
    assert xing_bytes(content[:NUM_XING_BYTES])
    return content[frame_bytes(content) :]


@pytest.mark.parametrize("tag", ["", *TAGS])
@pytest.mark.parametrize("rate, channels", [(RATE, 2), (RATE, 1), (48000, 2)])
def test_mp3_joined_to_one_that_states_no_length(tmp_path, rate, channels, tag):
    """All of it is read, or it is refused where the rate or the channels change, since libsndfile stops there."""
    path = tmp_path / "a.mp3"
    first = without_length(path, RATE, 2)
    path.write_bytes(first + TAGS.get(tag, b"") + without_length(path, rate, channels))
    if (rate, channels) != (RATE, 2):
        with pytest.raises(InputError, match="holds several MP3 files in one"):
            AudioInput(path)
        return
    samples, warning = read(path)
    assert warning == "" and samples.shape[1] > 2 * RATE


JUNK = {"text": b"ID3 is no tag here", "one header": b"\xff\xfb\x90\x64" + bytes(3000), "random": bytes(range(256)) * 9}


@pytest.mark.parametrize("behind", [*TAGS.values(), *JUNK.values()], ids=[*TAGS, *JUNK])
def test_one_mp3_is_read_whole_whatever_lies_behind_it(tmp_path, behind):
    path = vbr_mp3(tmp_path / "a.mp3", music(RATE))
    expected, _ = read(path)
    path.write_bytes(path.read_bytes() + behind)
    samples, warning = read(path)
    assert warning == ""
    np.testing.assert_array_equal(samples, expected)


def test_the_name_does_not_say_the_format(tmp_path):
    soundfile.write(tmp_path / "a.flac", music(RATE).T, RATE, subtype="PCM_24")
    samples, warning = read((tmp_path / "a.flac").rename(tmp_path / "a.raw"))
    assert warning == ""
    np.testing.assert_allclose(samples, music(RATE), rtol=0, atol=2.0**-23)


def test_a_bundle_names_the_remedy_that_it_has(monkeypatch):
    monkeypatch.setattr(ffmpeg, "is_bundled", lambda: True)
    words = "needs FFmpeg, which the plugin's own Python does not have; the Python package's command has it"
    assert ffmpeg.missing_text() == words


@pytest.mark.parametrize("file_format", ["mp3", "m4a", "opus", "stem.mp4"])
def test_formats_of_ffmpeg_are_refused_before_any_work(file_format):
    with pytest.raises(InputError) as caught:
        Encoding(file_format)
    words = "needs FFmpeg: run 'pip install av'. Formats that need none: wav, flac, ogg"
    assert str(caught.value) == f"format {file_format} {words}"
