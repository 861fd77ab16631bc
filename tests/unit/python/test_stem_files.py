# SPDX-License-Identifier: MIT
"""Stem files (.stem.mp4): what goes in comes out, bit for bit in ALAC; evaluated and mixed again."""

import io
import json

import av
import numpy as np
import pytest
import soundfile
from stemlane.cli.main import main
from stemlane.errors import InputError
from stemlane.files.encoding import dithered
from stemlane.files.library import separate_file
from stemlane.files.mp4_boxes import boxes, find_box
from stemlane.files.reading import AudioInput
from stemlane.files.stem_file_writing import StemFileWriter
from stemlane.files.stem_files import STEMS, stream_names, streams_by_stem
from support.audio_files import RATE, music
from support.stem_files import five, samples_of, stem_file, streams
from support.tiny_models import build_model
from support.tiny_spleeter import build_spleeter

NUM_SAMPLES = 3 * RATE + 1234


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("songs") / "song.wav"
    soundfile.write(path, music(NUM_SAMPLES).T, RATE, subtype="PCM_24")
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return build_model(tmp_path_factory.mktemp("models"))


def test_alac_of_24_bits_is_the_recording_and_its_stems_bit_for_bit(tmp_path, recording, model):
    wanted = separate_file(recording, tmp_path / "wav", model=model).outputs
    out = separate_file(recording, tmp_path / "out", model=model, file_format="stem.mp4", bits=24)
    assert out.outputs == {"stems": tmp_path / "out" / "song.stem.mp4"} and out.warnings == []
    assert out.seconds == NUM_SAMPLES / RATE
    mixture, *stems = streams(out.outputs["stems"], "s32p")
    whole = soundfile.read(recording, dtype="int32")[0].T  # 24 bits at the top of 32
    np.testing.assert_array_equal(mixture, whole)
    for name, found in zip(STEMS, stems, strict=True):
        exact = np.rint(samples_of(wanted[name]).astype(np.float64) * 2**23).astype(np.int32) << 8
        np.testing.assert_array_equal(found, exact)


def test_alac_of_16_bits_is_dithered(tmp_path, model):
    """What 16 bits hold exactly stays; the rest gets the noise that the other formats get."""
    path = tmp_path / "song.wav"
    soundfile.write(path, music(20_000).T, RATE, subtype="PCM_16")
    out = separate_file(path, tmp_path, model=model, file_format="stem.mp4", bits="16").outputs["stems"]
    mixture, *stems = streams(out, "s16p")
    np.testing.assert_array_equal(mixture, soundfile.read(path, dtype="int16")[0].T)
    wanted = separate_file(path, tmp_path / "wav", model=model).outputs
    for name, found in zip(STEMS, stems, strict=True):
        assert np.abs(found / 32768 - samples_of(wanted[name])).max() <= 1.5 / 32768  # half a step, and noise of one


@pytest.mark.parametrize("rate, written_rate", [(44100, 44100), (22050, 32000)])
def test_aac(tmp_path, model, rate, written_rate):
    path = tmp_path / "song.wav"
    soundfile.write(path, music(2 * rate).T, rate, subtype="FLOAT")
    out = separate_file(path, tmp_path, model=model, file_format="stem.mp4", bitrate=320).outputs["stems"]
    with av.open(str(out)) as container:
        assert [stream.codec_context.name for stream in container.streams.audio] == ["aac"] * 5
        assert container.streams.best("audio").index == 0
    wanted = separate_file(path, tmp_path / "wav", model=model).outputs
    for index, name in enumerate((None, *STEMS)):
        with AudioInput(out, stream=index) as file:
            assert (file.sample_rate, file.num_channels) == (written_rate, 2)
            found = np.concatenate(list(file), axis=1)
        assert 0 <= found.shape[1] - 2 * written_rate <= 1024  # a frame of AAC
        if rate == written_rate:
            true = music(2 * rate) if name is None else samples_of(wanted[name])
            error = true - found[:, : true.shape[1]]
            assert 10 * np.log10((true**2).sum() / (error**2).sum()) > 20  # noise bursts cost most


def test_the_container_is_as_the_format_wants_it(tmp_path, recording, model):
    path = separate_file(recording, tmp_path, model=model, file_format="stem.mp4").outputs["stems"]
    with path.open("rb") as file:
        top = list(boxes(file, 0, path.stat().st_size))
        assert [box.name for box in top] == [b"ftyp", b"free", b"mdat", b"moov"]
        assert top[-1].end == path.stat().st_size
        moov = list(boxes(file, top[-1].content, top[-1].end))
        assert [box.name for box in moov] == [b"mvhd", *[b"trak"] * 5, b"udta"] and moov[-1].end == top[-1].end
        enabled = []
        for track in moov[1:6]:
            header = next(box for box in boxes(file, track.content, track.end) if box.name == b"tkhd")
            file.seek(header.content)
            enabled.append(file.read(4)[3] & 1)
        assert enabled == [1, 0, 0, 0, 0]  # players play the mixture alone
        found = find_box(file, [b"moov", b"udta", b"stem"])
        file.seek(found.content)
        about = json.loads(file.read(found.end - found.content))
    assert about["version"] == 1 and [stem["name"] for stem in about["stems"]] == ["Drums", "Bass", "Other", "Vocals"]
    assert all(len(stem["color"]) == 7 for stem in about["stems"])
    assert not any(part["enabled"] for part in about["mastering_dsp"].values())
    assert stream_names(path) == ["Drums", "Bass", "Other", "Vocals"]
    assert streams_by_stem(path) == {"drums": 1, "bass": 2, "other": 3, "vocals": 4}


def test_tags_and_the_mark_for_skipping(tmp_path, recording, model, capsys):
    song = tmp_path / "in" / "song.flac"
    song.parent.mkdir()
    with soundfile.SoundFile(song, "w", RATE, 2) as file:
        file.title, file.artist = "Über", "Ä"
        file.write(music(5000).T)
    command = ["separate", str(song.parent), "-o", str(tmp_path / "out"), "--model", str(model), "--stem-file"]
    assert main(command) == 0
    (out,) = (tmp_path / "out").iterdir()
    assert out.name == "song.stem.mp4" and capsys.readouterr().out == f"{out}\n"
    with av.open(str(out)) as container:
        assert (container.metadata["title"], container.metadata["artist"]) == ("Über", "Ä")
    before = out.stat().st_mtime_ns
    assert main([*command, "--skip-existing"]) == 0
    assert out.stat().st_mtime_ns == before and "1 of 1 recording had stems already" in capsys.readouterr().err
    assert main([*command, "--skip-existing", "--bits", "16"]) == 0
    assert out.stat().st_mtime_ns != before


def test_what_is_none_of_the_four_is_in_other(tmp_path, recording):
    six = ("vocals", "drums", "bass", "guitar", "piano", "other")
    model = build_model(tmp_path, name="six", stems=six, masks=(0.5, 0.25, 0.0625, 0.03125, 0.015625))
    wanted = {
        name: samples_of(path) for name, path in separate_file(recording, tmp_path / "w", model=model).outputs.items()
    }
    out = separate_file(recording, tmp_path, model=model, file_format="stem.mp4", bits=24).outputs["stems"]
    _, drums, _, other, _ = streams(out, "s32p")
    np.testing.assert_allclose(drums / 2.0**31, wanted["drums"], atol=2.0**-23)
    summed = wanted["guitar"] + wanted["piano"] + wanted["other"]
    np.testing.assert_allclose(other / 2.0**31, summed, atol=2.0**-23)  # rounded to 24 bits


def test_a_model_of_two_stems_leaves_two_streams_silent(tmp_path, recording):
    model = build_spleeter(tmp_path / "m", name="two", stems=("vocals", "other"))
    wanted = separate_file(recording, tmp_path / "w", model=model).outputs
    out = separate_file(recording, tmp_path, model=model, file_format="stem.mp4", bits=24).outputs["stems"]
    mixture, drums, bass, other, vocals = streams(out, "s32p")
    assert not drums.any() and not bass.any()
    for found, name in ((other, "accompaniment"), (vocals, "vocals")):
        np.testing.assert_allclose(found / 2.0**31, samples_of(wanted[name]), atol=2.0**-23)
    np.testing.assert_allclose((other / 2.0**31 + vocals / 2.0**31), mixture / 2.0**31, atol=2.0**-22)


def test_mono_becomes_stereo(tmp_path, model):
    path = tmp_path / "song.wav"
    soundfile.write(path, music(9000, 1).T, RATE, subtype="PCM_24")
    out = separate_file(path, tmp_path, model=model, file_format="stem.mp4", bits=24).outputs["stems"]
    for samples in streams(out, "s32p"):
        assert samples.shape == (2, 9000)
        np.testing.assert_array_equal(samples[0], samples[1])


@pytest.mark.parametrize("clip, peak", [("report", 1.0), ("clamp", 1.0), ("rescale", 1 - 2**-15)])
def test_peaks(tmp_path, model, clip, peak):
    path = tmp_path / "loud.wav"
    loud = 3 * music(9000)
    soundfile.write(path, loud.T, RATE, subtype="FLOAT")
    done = separate_file(path, tmp_path, model=model, file_format="stem.mp4", bits=24, clip=clip)
    mixture, *stems = (samples / 2.0**31 for samples in streams(done.outputs["stems"], "s32p"))
    factor = peak / np.abs(loud).max() if clip == "rescale" else 1.0
    np.testing.assert_allclose(mixture, np.clip(loud * factor, -1, 1 - 2**-23), atol=2.0**-23)
    if clip == "rescale":
        np.testing.assert_allclose(sum(stems), mixture, atol=3 * 2.0**-23)
    said = {"report": "clipped, its peak was", "clamp": "", "rescale": "dB softer, the peak was"}[clip]
    assert (said in done.warnings[0]) if said else done.warnings == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["loud.stem.mp4", "loud.wav"]


def test_options_that_do_not_fit(tmp_path, model, recording, capsys):
    for more, words in (
        (["--stems", "vocals"], "stems cannot be chosen for it"),
        (["--two-stems", "vocals"], "stems cannot be chosen for it"),
        (["--bits", "32f"], "format stem.mp4 was asked for bits '32f', should be one of: 16, 24"),
        (["--bits", "24", "--bitrate", "256"], "leave one of the two out"),
    ):
        assert main(["separate", str(recording), "-o", str(tmp_path), "--model", str(model), "--stem-file", *more]) == 1
        assert words in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["separate", "a.wav", "--stem-file", "--format", "flac"])
    assert list(tmp_path.iterdir()) == []


def test_a_failure_in_the_middle_leaves_nothing(tmp_path, model, recording, monkeypatch):
    written = StemFileWriter.write

    def fails(self, block):
        written(self, block)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(StemFileWriter, "write", fails)
    with pytest.raises(InputError, match=r"song\.stem\.mp4: cannot be written, the disk is full"):
        separate_file(recording, tmp_path / "out", model=model, file_format="stem.mp4")
    assert list(tmp_path.iterdir()) == []


def test_dither_is_always_the_same(tmp_path):
    samples = 0.1 * five(5000) + 1e-6
    first, second = (
        stem_file(tmp_path / name, samples, bits="16").read_bytes() for name in ("a.stem.mp4", "b.stem.mp4")
    )
    assert streams_equal(first, second)
    assert dithered(samples[1], np.random.default_rng(0)).dtype == np.int16


def streams_equal(first: bytes, second: bytes) -> bool:
    """Whether two files hold the same packets."""
    packets = []
    for data in (first, second):
        with av.open(io.BytesIO(data)) as container:
            packets.append([bytes(packet) for packet in container.demux()])
    return packets[0] == packets[1]
