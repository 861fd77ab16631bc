# SPDX-License-Identifier: MIT
"""Cover pictures go over to what is made of a recording, byte for byte, and the sound stays what it is."""

import base64
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from av.stream import Disposition
from stemlane.files import covers
from stemlane.files.encoding import Encoding
from stemlane.files.formats import FORMATS
from stemlane.files.library import separate_file
from stemlane.files.reading import AudioInput, tags_of
from stemlane.files.rendering import render_file
from stemlane.files.writing import AudioOutput
from support.audio_files import music
from support.tiny_models import build_model

RATE = 44100
PIXELS = {"mjpeg": "yuvj420p", "png": "rgb24"}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return build_model(tmp_path_factory.mktemp("models"))


def picture(codec: str) -> bytes:
    """A picture of 8 by 8 pixels."""
    context = av.CodecContext.create(codec, "w")
    context.width = context.height = 8
    context.pix_fmt, context.time_base = PIXELS[codec], Fraction(1, 1)
    return b"".join(
        bytes(packet) for packet in [*context.encode(av.VideoFrame(8, 8, PIXELS[codec])), *context.encode()]
    )


def recording(path: Path, cover: bytes, codec: str = "mjpeg") -> Path:
    """An MP3 with a picture, written by FFmpeg alone."""
    with av.open(str(path), "w", format="mp3") as output:
        sound = output.add_stream("libmp3lame", rate=RATE, layout="stereo")
        image = output.add_stream(codec, rate=1)
        image.width = image.height = 8
        image.pix_fmt, image.disposition = PIXELS[codec], Disposition.attached_pic.value
        packet = av.Packet(cover)
        packet.stream, packet.pts, packet.dts = image, 0, 0
        output.mux(packet)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(music(RATE)), "fltp", "stereo")
        frame.sample_rate, frame.pts = RATE, 0
        resampler = av.AudioResampler("fltp", "stereo", RATE, frame_size=1152)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(sound.encode(piece))
        output.mux(sound.encode(None))
    return path


def pictures(path: Path) -> list[bytes]:
    """What FFmpeg finds attached to a file."""
    found = []
    with av.open(str(path)) as container:
        count = len(container.streams.video)
    for index in range(count):
        with av.open(str(path)) as container:
            stream = container.streams.video[index]
            assert Disposition.attached_pic in stream.disposition
            found.append(bytes(next(container.demux(stream))))
    return found


def samples(path: Path) -> np.ndarray:
    with AudioInput(path) as file:
        return np.concatenate(list(file), axis=1)


@pytest.mark.parametrize("codec", PIXELS)
@pytest.mark.parametrize("file_format", [*FORMATS, "stem.mp4"])
def test_the_picture_goes_over_and_the_sound_stays(tmp_path, model, codec, file_format):
    cover = picture(codec)
    options = {"model": model, "file_format": file_format}
    plain = separate_file(recording(tmp_path / "a.mp3", b""), tmp_path / "plain", **options).outputs
    outputs = separate_file(recording(tmp_path / "a.mp3", cover, codec), tmp_path / "out", **options).outputs
    for name, path in outputs.items():
        assert pictures(path) == [cover]
        assert pictures(plain[name]) == []
        np.testing.assert_array_equal(samples(path), samples(plain[name]))
        with AudioInput(path) as file, AudioInput(plain[name]) as other:
            assert file.tags == other.tags | {"comment": file.tags["comment"]}
            assert file.cover == cover
            assert file.warning == ""
            assert tags_of(path) == file.tags


@pytest.mark.parametrize("file_format", FORMATS)
def test_tags_are_found_whatever_large_picture_lies_beside_them(tmp_path, file_format):
    """Without a look at sound or picture."""
    cover = picture("png") + np.random.default_rng(3).bytes(3_000_000)
    tags = {"title": "a", "comment": "stemlane"}
    path = tmp_path / f"a.{file_format}"
    with AudioOutput(path, RATE, 2, encoding=Encoding(file_format), tags=tags, cover=cover) as file:
        file.write(music(RATE))
    assert tags_of(path).items() >= tags.items()


@pytest.mark.parametrize("file_format", ["flac", "m4a", "ogg", "opus", "wav"])
def test_a_second_generation_keeps_it(tmp_path, model, file_format):
    """From each format that it was written into."""
    cover = picture("mjpeg")
    first = separate_file(recording(tmp_path / "a.mp3", cover), tmp_path / "1", model=model, file_format=file_format)
    render_file(first.outputs["drums"], tmp_path / "mix.flac", model=model)
    assert pictures(tmp_path / "mix.flac") == [cover]


@pytest.mark.parametrize("num_bytes", [100, 101, 40_000])
def test_the_chunk_of_a_wav_is_one_that_every_reader_can_skip(tmp_path, num_bytes):
    """Chunks follow each other on even positions to the end, which is where the first one says it is."""
    path = tmp_path / "a.wav"
    soundfile.write(path, music(101)[:1].T, RATE, subtype="PCM_24")  # an odd number of bytes
    before = soundfile.read(path)[0]
    picture = b"\xff\xd8\xff" + bytes(num_bytes - 3)
    covers.add_to_wav(path, picture)
    data = path.read_bytes()
    assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8
    position, names = 12, []
    while position < len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        names.append(name)
        position += 8 + size + size % 2
    assert position == len(data) and names[-1] == b"id3 " and names.count(b"id3 ") == 1
    np.testing.assert_array_equal(soundfile.read(path)[0], before)
    with AudioInput(path) as file:
        assert file.cover == picture and file.warning == ""


@pytest.mark.parametrize("file_format", ["flac", "ogg"])
def test_a_large_picture_moves_what_is_behind_it(tmp_path, model, file_format):
    """Larger than what is moved at once, and than an audio file's own blocks and pages."""
    cover = picture("mjpeg") + np.random.default_rng(3).bytes(3_000_000)
    outputs = separate_file(
        recording(tmp_path / "a.mp3", cover), tmp_path, model=model, file_format=file_format
    ).outputs
    plain = separate_file(
        recording(tmp_path / "a.mp3", b""), tmp_path / "p", model=model, file_format=file_format
    ).outputs
    for name, path in outputs.items():
        assert pictures(path) == [cover]
        np.testing.assert_array_equal(soundfile.read(path)[0], soundfile.read(plain[name])[0])


def flac_with(path: Path, block: bytes) -> Path:
    """A FLAC file with a block of the picture kind, whatever is in it."""
    soundfile.write(path, music(5000).T, RATE)
    data = path.read_bytes()
    head = bytes([6]) + len(block).to_bytes(3, "big") + block
    size = 4 + int.from_bytes(data[5:8], "big")
    path.write_bytes(data[: 4 + size] + head + data[4 + size :])
    return path


def test_pictures_that_are_none_are_left_behind(tmp_path, model):
    gif = b"GIF89a" + bytes(40)
    described = struct.pack(">II", 3, 9) + b"image/gif" + struct.pack(">6I", 0, 0, 0, 0, 0, len(gif)) + gif
    huge = struct.pack(">II", 3, 10) + b"image/jpeg" + struct.pack(">6I", 0, 0, 0, 0, 0, 1 << 31) + b"\xff\xd8\xff"
    for block in (described, huge, b"", bytes(20), described[:-30]):
        source = flac_with(tmp_path / "a.flac", block)
        with AudioInput(source) as file:
            assert file.cover == b""
        done = separate_file(source, tmp_path / "out", model=model, file_format="flac")
        assert pictures(done.outputs["drums"]) == []


def test_the_description_of_a_picture_is_flacs(tmp_path):
    cover = picture("png")
    comment = covers.as_comment(cover)["METADATA_BLOCK_PICTURE"]
    wanted = struct.pack(">II", 3, 9) + b"image/png" + bytes(20) + struct.pack(">I", len(cover)) + cover
    assert base64.b64decode(comment) == wanted
    assert covers.as_comment(b"") == {}
