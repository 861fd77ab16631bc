# SPDX-License-Identifier: MIT
"""Audio files that are read: samples are FFmpeg's, bad files are named, what is missing is said."""

import io

import numpy as np
import pytest
import soundfile
from stemlane.errors import InputError
from stemlane.files import completeness
from stemlane.files.marks import mark_in
from stemlane.files.reading import AudioInput
from support.audio_files import RATE, decoded, encode, music, vbr_mp3

NUM_SAMPLES = 600_000  # long enough for several seeks to go wrong, where there are seeks


def read(path, block_samples=16384):
    """All samples of a file and the warning."""
    with AudioInput(path) as source:
        samples = np.concatenate(list(source.blocks(block_samples)), axis=1)
        return samples, source.warning.removeprefix(f"{path}: ")


def test_inputs_that_cannot_be(tmp_path):
    (tmp_path / "text.wav").write_text("hello", encoding="utf-8")
    (tmp_path / "empty.wav").write_bytes(b"")
    soundfile.write(tmp_path / "none.wav", np.zeros((0, 2)), 44100)
    soundfile.write(tmp_path / "eight.wav", np.zeros((100, 8)), 44100)
    soundfile.write(tmp_path / "slow.wav", np.zeros((100, 2)), 4000)
    for name, words in {
        "absent.wav": "no such file",
        ".": "is not a file",
        "text.wav": "cannot be read as audio",
        "empty.wav": r"cannot be read as audio \(is empty\)",
        "none.wav": "holds 0 samples",
        "eight.wav": "8 channels: only mono or stereo",
        "slow.wav": "sample rate is 4000 Hz",
    }.items():
        with pytest.raises(InputError, match=words) as caught:
            AudioInput(tmp_path / name)
        assert "\n" not in str(caught.value) and name.strip(".") in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"ID3", bytes(127), b"\xff\xfb\x90d" * 20])
def test_of_a_short_mp3_no_library_prints_a_word(tmp_path, capfd, content):
    """FFmpeg looks 128 bytes before the end for tags."""
    (tmp_path / "short.mp3").write_bytes(content)
    with pytest.raises(InputError, match="short.mp3: cannot be read as audio"):
        AudioInput(tmp_path / "short.mp3")
    assert mark_in(tmp_path / "short.mp3") is None
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("position", [0, 699, 700, 1999])
def test_samples_that_are_not_finite_are_named(tmp_path, position):
    samples = np.zeros((2000, 2), np.float32)
    samples[position, 1] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 44100, subtype="FLOAT")
    with pytest.raises(InputError, match=rf"nan.wav: sample {position} of channel 1 is nan"):
        read(tmp_path / "nan.wav", 700)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("audio")


@pytest.fixture(scope="module")
def vbr(folder):
    return vbr_mp3(folder / "vbr.mp3", music(NUM_SAMPLES))


@pytest.mark.parametrize("block_samples", [700, 16384, 10**6])
def test_mp3_of_variable_bit_rate_has_no_dropouts(vbr, block_samples):
    samples, warning = read(vbr, block_samples)
    assert (samples.shape, warning) == ((2, NUM_SAMPLES), "")
    np.testing.assert_array_equal(samples, decoded(vbr))
    whole, _ = soundfile.read(vbr, dtype="float32")  # at once, without a seek, another decoder agrees
    np.testing.assert_allclose(samples, whole.T, rtol=0, atol=2e-5)  # two decoders of float32


def test_mp3_without_xing_header_keeps_its_end(folder):
    path = vbr_mp3(folder / "raw.mp3", music(NUM_SAMPLES), xing=False)
    samples, warning = read(path)
    num_frames = -(-(NUM_SAMPLES + 1105) // 1152)  # the encoder's delay comes first, nobody says how much it was
    assert (samples.shape, warning) == ((2, num_frames * 1152), "")
    np.testing.assert_array_equal(samples, decoded(path))


def test_joined_mp3_files_are_read_to_the_end_of_the_last(folder, vbr):
    path = folder / "joined.mp3"
    path.write_bytes(vbr.read_bytes() * 2)
    samples, warning = read(path)
    assert samples.shape[1] > 2 * NUM_SAMPLES and warning == ""
    np.testing.assert_array_equal(samples, decoded(path))


def test_joined_mp3_files_of_two_rates_and_channels(folder, vbr):
    other = vbr_mp3(folder / "mono.mp3", music(NUM_SAMPLES // 2, 1), xing=False)
    fast = encode(folder / "48.mp3", music(NUM_SAMPLES // 2), "libmp3lame", rate=48000)
    path = folder / "mixed.mp3"
    path.write_bytes(vbr.read_bytes() + other.read_bytes() + fast.read_bytes())
    samples, _ = read(path)
    expected = NUM_SAMPLES * 3 / 2 + NUM_SAMPLES / 2 * RATE / 48000
    assert abs(samples.shape[1] - expected) < 4 * 1152 and samples.shape[0] == 2
    np.testing.assert_array_equal(samples[:, :NUM_SAMPLES], decoded(vbr))


@pytest.mark.parametrize(
    "tail",
    [
        bytes(5000),
        b"LYRICSBEGININD0000200LYR00020" + b"la" * 400 + b"000829LYRICS200",
        b"TAG" + bytes(125),
        b"\xff\xfb",
    ],
    ids=["zeros", "lyrics", "id3v1", "half a header"],
)
def test_bytes_after_the_last_mp3_frame_do_no_harm(folder, vbr, tail):
    path = folder / "tail.mp3"
    path.write_bytes(vbr.read_bytes() + tail)
    samples, warning = read(path)
    assert warning == ""
    np.testing.assert_array_equal(samples, decoded(vbr))


KINDS = {
    "mp3": ("libmp3lame", RATE), "m4a": ("aac", RATE), "alac.m4a": ("alac", RATE), "mp4": ("aac", RATE),
    "wma": ("wmav2", RATE), "wv": ("wavpack", RATE), "opus": ("libopus", 48000), "webm": ("libopus", 48000),
    "opus.mp4": ("libopus", 48000), "mka": ("flac", RATE), "flac": ("flac", RATE), "aac": ("aac", RATE),
    "wav": ("pcm_s16le", RATE), "w64": ("pcm_s16le", RATE), "aiff": ("pcm_s16be", RATE), "au": ("pcm_s16be", RATE),
    "caf": ("pcm_s16be", RATE), "avi": ("libmp3lame", RATE), "ac3": ("ac3", RATE), "rf64.wav": ("pcm_s16le", RATE),
}  # fmt: skip
# What encoders put before and behind that their containers do not count out again.
PADDED = {"m4a": 1024, "mp4": 1024, "aac": 3072, "avi": 2304, "ac3": 1792, "opus.mp4": 960, "wma": 4096}


def make(folder, kind, num_samples=200_000):
    path = folder / f"kind.{kind}"
    codec, rate = KINDS[kind]
    container = {"movflags": "faststart"} if kind in ("m4a", "alac.m4a", "mp4", "opus.mp4") else {}
    if kind == "rf64.wav":
        container = {"rf64": "always"}
    return encode(path, music(num_samples), codec, rate=rate, container=container)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_from_the_first_sample_to_the_last(folder, kind):
    path = make(folder, kind)
    samples, warning = read(path)
    with AudioInput(path) as source:
        assert (source.sample_rate, source.num_channels) == (KINDS[kind][1], 2)
    assert warning == ""
    assert abs(samples.shape[1] - 200_000) <= PADDED.get(kind, 0)
    # Where the codec's delay is counted out, it is the same music at the same place.
    if kind not in ("aac", "avi", "ac3", "wma"):
        truth = music(200_000)[:, 5000:190_000]
        error = samples[:, 5000:190_000] - truth
        assert 10 * np.log10(np.square(truth).sum() / np.square(error).sum()) > 15  # the lossy ones, of noise too


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.3, 0.617, 0.98])
def test_every_kind_says_that_its_end_is_missing(folder, kind, share):
    whole = make(folder, kind).read_bytes()
    path = folder / f"cut.{kind}"
    path.write_bytes(whole[: int(share * len(whole))])
    samples, warning = read(path)
    assert 0.2 * share * 200_000 < samples.shape[1] < 200_000 + PADDED.get(kind, 0)
    assert warning.startswith(("is cut off, ", "is cut off or damaged, ")) and warning.endswith(
        "; what is there is used"
    )


@pytest.mark.parametrize(
    "file_format, subtype", [("OGG", "VORBIS"), ("RF64", "FLOAT"), ("AU", "FLOAT"), ("W64", "PCM_24")]
)
def test_files_of_libsndfile_that_are_cut_off(tmp_path, file_format, subtype):
    path = tmp_path / "a"
    soundfile.write(path, music(100_000).T, RATE, format=file_format, subtype=subtype)
    samples, warning = read(path)
    assert samples.shape == (2, 100_000) and warning == ""
    path.write_bytes(path.read_bytes()[:-10_001])
    samples, warning = read(path)
    assert 10_000 < samples.shape[1] < 100_000 and warning.startswith("is cut off, ")


def test_mp4_whose_index_is_cut_off_is_refused_with_the_reason(folder):
    path = encode(folder / "late.m4a", music(200_000), "aac")  # its index stands at the end
    path.write_bytes(path.read_bytes()[:30_000])
    with pytest.raises(
        InputError, match=r"late.m4a: cannot be read as audio \(is cut off, \d+ of \d+ bytes are missing"
    ):
        AudioInput(path)


@pytest.mark.parametrize("kind", ["flac", "wav", "m4a"])
def test_a_file_emptied_while_it_is_read_is_said(folder, kind):
    path = make(folder, kind, 600_000)
    with AudioInput(path) as source:
        blocks = source.blocks()
        num_samples = next(blocks).shape[1]
        path.write_bytes(b"")
        num_samples += sum(block.shape[1] for block in blocks)
        assert num_samples < 500_000 and "is cut off or damaged, " in source.warning
    with AudioInput(make(folder, kind)) as source:
        path.write_bytes(b"")
        with pytest.raises(InputError, match="cannot be read as audio"):
            list(source)


@pytest.mark.parametrize("stated", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_wav_of_unknown_size_is_read_to_the_end(tmp_path, stated):
    path = tmp_path / "a.wav"
    soundfile.write(path, music(50_000).T, RATE, subtype="FLOAT")
    data = bytearray(path.read_bytes())
    for position in (4, data.index(b"data") + 4):
        data[position : position + 4] = stated.to_bytes(4, "little")
    path.write_bytes(data)
    samples, warning = read(path)
    assert warning == ""
    np.testing.assert_array_equal(samples, music(50_000))


def test_damage_inside_is_said_and_the_rest_is_used(folder):
    for kind, words in {"mp3": "is damaged, ", "m4a": "is damaged, ", "flac": "is damaged, "}.items():
        data = bytearray(make(folder, kind).read_bytes())
        data[len(data) // 2 : len(data) // 2 + 3000] = np.random.default_rng(1).bytes(3000)
        path = folder / f"damaged.{kind}"
        path.write_bytes(data)
        samples, warning = read(path)
        assert words in warning, kind
        if kind == "flac":  # its frames know their places: the end is in its own
            assert samples.shape[1] == 200_000
            np.testing.assert_allclose(samples[:, 150_000:], music(200_000)[:, 150_000:], rtol=0, atol=2**-14)
            assert np.abs(samples).max() < 0.7  # no noise
        else:
            assert 150_000 < samples.shape[1] < 200_000 + 1024


def test_gsm_and_other_rare_codecs(tmp_path):
    speech = 0.5 * np.sin(2 * np.pi * 300 * np.arange(24_000) / 8000).astype(np.float32)
    for subtype, tolerance in {"GSM610": 0.1, "ULAW": 0.02, "ALAW": 0.02, "MS_ADPCM": 0.03, "PCM_U8": 0.01}.items():
        soundfile.write(tmp_path / "a.wav", speech, 8000, subtype=subtype)
        samples, warning = read(tmp_path / "a.wav", 777)
        assert 24_000 <= samples.shape[1] < 26_000 and warning == "", subtype
        assert np.abs(samples[0, 1000:23_000] - speech[1000:23_000]).max() < tolerance, subtype


def test_values_that_float32_cannot_hold_are_named(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.array([0, 0.5, 1e39]), RATE, subtype="DOUBLE")
    with pytest.raises(InputError, match="a.wav: sample 2 of channel 0 is inf"):
        read(tmp_path / "a.wav")


@pytest.mark.parametrize("name, text", [
    ("page.mp3", "<!doctype html><html><body>" + "<p>404 not found</p>" * 500),
    ("list.m3u8", "#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:2,\nsecret.wav\n#EXT-X-ENDLIST\n"),
    ("list.mp3", "ffconcat version 1.0\nfile secret.wav\n"),
    ("page.wav", "<html>"),
])  # fmt: skip
def test_pages_and_playlists_are_no_audio(tmp_path, name, text):
    soundfile.write(tmp_path / "secret.wav", music(50_000).T, RATE)
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=rf"{name}: cannot be read as audio \(no format that is known, or damaged\)$"):
        AudioInput(tmp_path / name)


def test_a_header_of_no_known_samples_is_no_audio(tmp_path):
    """As of 0 bits: FFmpeg finds a stream of sound, and no decoder for it."""
    path = tmp_path / "nothing.wav"
    soundfile.write(path, music(50_000).T, RATE, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    data[34:36] = bytes(2)  # bits per sample
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"nothing.wav: cannot be read as audio \(no format that is known, or damaged"):
        AudioInput(path)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("aac", "ac3")])
@pytest.mark.parametrize("tail", [b"TAG" + b"Title of a song" * 8, b"APETAGEX" + bytes(range(24)) * 3, bytes(1000)])
def test_tags_behind_the_end_are_no_missing_end(folder, kind, tail):
    path = folder / f"tagged.{kind}"
    path.write_bytes(make(folder, kind).read_bytes() + tail)
    with path.open("rb") as file:
        assert completeness.missing_end(file) == ""


ENDLESS = {
    "id3": b"ID3\x04\0\0\0\0\0\0", "mp4": b"\0\0\0\x08free", "wavpack": b"wvpk\0\0\0\0",
    "aac": b"\xff\xf1\x50\0\0\xe0\xfc", "mp3": b"\xff\xfb\x10\x00" + bytes(100), "wav": b"RIFF\x04\0\0\0WAVE",
}  # fmt: skip


@pytest.mark.parametrize("part", ENDLESS.values(), ids=ENDLESS)
def test_files_that_never_seem_to_end_are_left_in_time(tmp_path, monkeypatch, part):
    class Counted(io.FileIO):
        num_seeks = 0

        def seek(self, *place):
            self.num_seeks += 1
            return super().seek(*place)

    monkeypatch.setattr(completeness, "_MOST_STEPS", 1000)
    (tmp_path / "a").write_bytes(part * 50_000)
    with Counted(tmp_path / "a") as file:
        completeness.missing_end(file)
        assert 900 < file.num_seeks < 2100
