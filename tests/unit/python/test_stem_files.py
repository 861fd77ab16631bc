# SPDX-License-Identifier: MIT
"""Stem files (.stem.mp4): what goes in comes out, bit for bit in ALAC; evaluated and mixed again."""

import io
import json
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from stemlane.cli.main import main
from stemlane.errors import InputError
from stemlane.evaluation.songs import find_songs, song_seconds
from stemlane.files.encoding import Encoding, dithered
from stemlane.files.library import separate_file
from stemlane.files.mp4_boxes import Box, add_box, box, boxes, find_box
from stemlane.files.reading import AudioInput
from stemlane.files.stem_files import STEMS, StemFileWriter, stream_names, streams_by_stem
from support.audio_files import music
from support.tiny_models import build_model
from support.tiny_spleeter import build_spleeter

RATE = 44100
NUM_SAMPLES = 3 * RATE + 1234


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("songs") / "song.wav"
    soundfile.write(path, music(NUM_SAMPLES).T, RATE, subtype="PCM_24")
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return build_model(tmp_path_factory.mktemp("models"))


def streams(path: Path, kind: str) -> list[np.ndarray]:
    """Every stream as FFmpeg decodes it, (channels, samples) of its own type, without any of Stemlane's code."""
    found = []
    with av.open(str(path)) as container:
        count = len(container.streams.audio)
    for index in range(count):
        with av.open(str(path)) as container:
            frames = list(container.decode(container.streams.audio[index]))
            assert {frame.format.name for frame in frames} == {kind}
            found.append(np.concatenate([frame.to_ndarray() for frame in frames], axis=1))
    return found


def read(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32")[0].T


def test_alac_of_24_bits_is_the_recording_and_its_stems_bit_for_bit(tmp_path, recording, model):
    wanted = separate_file(recording, tmp_path / "wav", model=model).outputs
    out = separate_file(recording, tmp_path / "out", model=model, file_format="stem.mp4", bits=24)
    assert out.outputs == {"stems": tmp_path / "out" / "song.stem.mp4"} and out.warnings == []
    assert out.seconds == NUM_SAMPLES / RATE
    mixture, *stems = streams(out.outputs["stems"], "s32p")
    whole = soundfile.read(recording, dtype="int32")[0].T  # 24 bits at the top of 32
    np.testing.assert_array_equal(mixture, whole)
    for name, found in zip(STEMS, stems, strict=True):
        exact = np.rint(read(wanted[name]).astype(np.float64) * 2**23).astype(np.int32) << 8
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
        assert np.abs(found / 32768 - read(wanted[name])).max() <= 1.5 / 32768  # half a step, and noise of one


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
            true = music(2 * rate) if name is None else read(wanted[name])
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
    assert out.stat().st_mtime_ns == before and "had their stems already" in capsys.readouterr().err
    assert main([*command, "--skip-existing", "--bits", "16"]) == 0
    assert out.stat().st_mtime_ns != before


def test_what_is_none_of_the_four_is_in_other(tmp_path, recording):
    six = ("vocals", "drums", "bass", "guitar", "piano", "other")
    model = build_model(tmp_path, name="six", stems=six, masks=(0.5, 0.25, 0.0625, 0.03125, 0.015625))
    wanted = {name: read(path) for name, path in separate_file(recording, tmp_path / "w", model=model).outputs.items()}
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
        np.testing.assert_allclose(found / 2.0**31, read(wanted[name]), atol=2.0**-23)
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


def stem_file(path: Path, samples: np.ndarray, *, bits="24") -> Path:
    """Write (5, 2, samples)."""
    path.touch()
    writer = StemFileWriter(path, Encoding("stem.mp4", bits), RATE, {})
    writer.write(samples)
    writer.close()
    return path


def five(num_samples: int) -> np.ndarray:
    """A mixture and the four stems it is the sum of, of 24 bits."""
    stems = [np.rint(0.3 * music(num_samples, seed=seed) * 2**23) / 2**23 for seed in range(4)]
    return np.stack([sum(stems), *stems]).astype(np.float32)


def test_evaluate_reads_the_same_as_from_a_folder(tmp_path, tiny_models, capsys):
    samples = five(3 * RATE)
    song = tmp_path / "a" / "song.stem.mp4"
    song.parent.mkdir()
    stem_file(song, samples)
    folder = tmp_path / "b" / "song"
    folder.mkdir(parents=True)
    for name, stem in zip(STEMS, samples[1:], strict=True):
        soundfile.write(folder / f"{name}.flac", stem.T, RATE, subtype="PCM_24")
    tables = []
    for place in (tmp_path / "a", tmp_path / "b"):
        assert main(["evaluate", str(place), "--model", "mix", "--json"]) == 0
        (table,) = json.loads(capsys.readouterr().out)
        tables.append(table["rows"]["mixture"])
    assert tables[0] == tables[1]
    assert song_seconds(find_songs(song)[0]) == 3


def test_names_of_others_are_understood(tmp_path):
    path = stem_file(tmp_path / "a.stem.mp4", five(5000))
    for names, found in (
        (["Drums", "Bass", "Synths", "Vox"], {"drums": 1, "bass": 2, "other": 3, "vocals": 4}),
        (["vocals", "INSTRUMENTS", "bass", "Percussion"], {"vocals": 1, "other": 2, "bass": 3, "drums": 4}),
    ):
        assert streams_by_stem(renamed(path, names)) == found
    odd = renamed(path, ["Kick", "Bass", "Pad\x1b[2J", "Vox"])
    with pytest.raises(
        InputError, match="its stems are Kick, Bass, Pad.*, Vox; they should be drums, bass, other, vocals"
    ):
        find_songs(odd)


def renamed(path: Path, names: list[str]) -> Path:
    """A copy whose stems have names of the same total length, so that no size changes."""
    copy = path.with_name("renamed.stem.mp4")
    shutil.copyfile(path, copy)
    with copy.open("r+b") as file:
        box = find_box(file, [b"moov", b"udta", b"stem"])
        about = json.dumps({"version": 1, "stems": [{"name": name} for name in names]}).encode()
        file.seek(box.content)
        file.write(about.ljust(box.end - box.content, b"\0"))  # some writers end it with zeros
    return copy


def test_render_mixes_the_stems_of_the_file(tmp_path, tiny_models, capsys):
    samples = five(20_000)
    path = stem_file(tmp_path / "a.stem.mp4", samples)
    out = tmp_path / "out.wav"
    assert main(["render", str(path), "-o", str(out), "--gain", "vocals=-inf", "--gain", "drums=-6"]) == 0
    wanted = 10 ** (-6 / 20) * samples[1] + samples[2] + samples[3]
    np.testing.assert_allclose(read(out), wanted, atol=1e-6)  # sums of float32
    automation = tmp_path / "a.json"
    automation.write_text(json.dumps([{"time": 0, "stem": "bass", "gain_db": 0, "shape": "stepped"},
                                      {"time": 10_000 / RATE, "stem": "bass", "gain_db": -60}]))  # fmt: skip
    assert main(["render", str(path), "-o", str(out), "--automation", str(automation)]) == 0
    found, step = read(out), 10_000 // 512 * 512
    np.testing.assert_allclose(found[:, :step], samples[1:].sum(axis=0)[:, :step], atol=1e-6)
    np.testing.assert_allclose(found[:, step + 512 :], samples[[1, 3, 4]].sum(axis=0)[:, step + 512 :], atol=1e-6)
    assert main(["render", str(path), "-o", str(out), "--gain", "piano=-3"]) == 1
    assert "the stem file has no stem 'piano', it has: drums, bass, other, vocals; or output" in capsys.readouterr().err
    # With a model, it is the mixture that is separated.
    assert main(["render", str(path), "-o", str(out), "--model", "live", "--gain", "vocals=0"]) == 0
    np.testing.assert_allclose(read(out), samples[0], atol=1e-6)


def test_separate_reads_the_mixture(tmp_path, model):
    samples = five(9000)
    path = stem_file(tmp_path / "a.stem.mp4", samples)
    outputs = separate_file(path, tmp_path / "out", model=model).outputs
    np.testing.assert_allclose(sum(read(stem) for stem in outputs.values()), samples[0], atol=1e-6)


def test_files_that_are_none(tmp_path):
    path = stem_file(tmp_path / "a.stem.mp4", five(5000))
    data = path.read_bytes()
    at = data.rindex(b"stem", 0, data.rindex(b'"version"'))
    broken = tmp_path / "broken.stem.mp4"
    for changed, words in (
        (data.replace(data[at : at + 4], b"none"), "it names no stems"),
        (data.replace(b'"version"', b'"version"}'), "what names its stems is damaged"),
        (data.replace(b'"stems": [', b'"stemz": ['), "it should name 4 stems"),
        (data.replace(b'"name": "Bass"', b'"name": 12    '), "it should name 4 stems"),
        (data[: len(data) // 2], "it names no stems"),
        (b"", "it names no stems"),
    ):
        broken.write_bytes(changed)
        with pytest.raises(InputError) as caught:
            find_songs(broken)
        assert words in str(caught.value)
    with pytest.raises(InputError, match="cannot be read .No such file"):
        stream_names(tmp_path / "missing.stem.mp4")


@pytest.mark.parametrize("seed", range(30))
def test_damaged_boxes_are_walked_through_in_bounds(tmp_path, seed):
    random = np.random.default_rng(seed)
    path = stem_file(tmp_path / "a.stem.mp4", five(3000))
    data = bytearray(path.read_bytes())
    moov = data.rindex(b"moov") - 4
    for position in random.integers(moov, len(data), 5):
        data[position] = random.integers(256)
    path.write_bytes(data)
    try:
        find_songs(path)
    except InputError as error:
        assert "\n" not in str(error)


def test_boxes_in_closed_form(tmp_path):
    long = (1).to_bytes(4, "big") + b"long" + (24).to_bytes(8, "big") + b"12345678"
    path = tmp_path / "a"
    path.write_bytes(box(b"ftyp", b"abcd") + long + (0).to_bytes(4, "big") + b"last" + b"xyz")
    with path.open("rb") as file:
        assert list(boxes(file, 0, path.stat().st_size)) == [
            Box(b"ftyp", 0, 8, 12), Box(b"long", 12, 28, 36), Box(b"last", 36, 44, 47),
        ]  # fmt: skip
        for wrong in (b"", b"\0\0\0", (7).to_bytes(4, "big") + b"tiny", (99).to_bytes(4, "big") + b"huge"):
            file_of = tmp_path / "b"
            file_of.write_bytes(wrong)
            with file_of.open("rb") as damaged:
                assert list(boxes(damaged, 0, len(wrong))) == []


@pytest.mark.parametrize(
    "before, after",
    [
        (box(b"mdat", b"x") + box(b"moov", box(b"mvhd", b"")),
         box(b"mdat", b"x") + box(b"moov", box(b"mvhd", b"") + box(b"udta", box(b"stem", b"hi")))),
        (box(b"moov", box(b"udta", box(b"meta", b"")) + box(b"trak", b"")),
         box(b"moov", box(b"udta", box(b"meta", b"") + box(b"stem", b"hi")) + box(b"trak", b""))),
        (box(b"moov", box(b"udta", b"")) + box(b"mdat", b"x"), None),  # what is added would move the samples
        (box(b"mdat", b""), None),
    ],
)  # fmt: skip
def test_a_box_is_added_where_nothing_moves(tmp_path, before, after):
    path = tmp_path / "a.mp4"
    path.write_bytes(before)
    with path.open("r+b") as file:
        if after is None:
            with pytest.raises(ValueError, match="moov is not at the end"):
                add_box(file, (b"moov", b"udta"), b"stem", b"hi")
        else:
            add_box(file, (b"moov", b"udta"), b"stem", b"hi")
    assert path.read_bytes() == (before if after is None else after)


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
