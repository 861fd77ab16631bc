# SPDX-License-Identifier: MIT
"""Scripts for Spleeter run with another import: shapes, names, files."""

import numpy as np
import pytest
import soundfile
from stemlane.compat.spleeter import Separator
from stemlane.engine.separator import Separator as Engine
from stemlane.errors import InputError, ModelError
from support.audio_files import RATE, music
from support.tiny_spleeter import build_spleeter


@pytest.fixture
def separator(tmp_path, monkeypatch):
    build_spleeter(tmp_path / "models", name="spleeter-2stems", stems=("vocals", "other"))
    monkeypatch.setenv("STEMLANE_MODELS", str(tmp_path / "models"))
    return Separator("spleeter:2stems", multiprocess=False)


@pytest.mark.parametrize("num_channels", [1, 2])
def test_waveforms(separator, num_channels):
    mixture = music(30_000, num_channels)
    prediction = separator.separate(mixture.T)
    assert list(prediction) == ["vocals", "accompaniment"]
    expected = Engine("spleeter-2stems").separate(np.repeat(mixture, 3 - num_channels, axis=0), RATE)
    for name, stem in expected.items():
        assert prediction[name].shape == (30_000, 2)
        np.testing.assert_array_equal(prediction[name], stem.T)
    with pytest.raises(InputError, match=r"waveform has shape \(2, 30000\), should be \(samples, channels\)"):
        separator.separate(music(30_000))


def test_files(separator, tmp_path):
    soundfile.write(tmp_path / "song.wav", music(60_000).T, RATE, subtype="FLOAT")
    separator.separate_to_file(str(tmp_path / "song.wav"), str(tmp_path / "out"))
    for name in ("vocals", "accompaniment"):
        info = soundfile.info(tmp_path / "out" / "song" / f"{name}.wav")
        assert (info.frames, info.samplerate, info.channels, info.subtype) == (60_000, RATE, 2, "PCM_16")
    separator.separate_to_file(
        tmp_path / "song.wav", tmp_path / "part", offset=0.5, duration=0.25, codec="mp3", bitrate="96k",
        filename_format="{instrument}/{filename}.{codec}",
    )  # fmt: skip
    assert sorted(str(path.relative_to(tmp_path / "part")) for path in (tmp_path / "part").rglob("*.mp3")) == [
        "accompaniment/song.mp3", "vocals/song.mp3",
    ]  # fmt: skip
    soundfile.write(tmp_path / "song.wav", music(30_000).T, RATE, subtype="FLOAT")  # another song of that name
    (tmp_path / "song.wav").rename(tmp_path / "part" / "song.wav")
    separator.separate_to_file(tmp_path / "part" / "song.wav", tmp_path / "out")  # replaces, as Spleeter does
    assert soundfile.info(tmp_path / "out" / "song" / "vocals.wav").frames == 30_000
    separator.join()


def test_what_cannot_be(separator, tmp_path):
    with pytest.raises(ModelError, match="can be added: run 'stemlane models add spleeter:4stems'"):
        Separator("spleeter:4stems")
    with pytest.raises(InputError, match="run 'stemlane models add spleeter:2stems --wiener 1 --force'"):
        Separator("spleeter:2stems", MWF=True)
    for bitrate, text in (("fast", "'fast'"), (1.5, "1.5"), ("", "''")):
        with pytest.raises(InputError, match=f"bitrate is {text}, should be like 128k"):
            separator.separate_to_file(tmp_path / "song.wav", tmp_path, codec="mp3", bitrate=bitrate)
    for descriptor in (None, 5, tmp_path):
        with pytest.raises(InputError, match="params_descriptor is .*, should be like 'spleeter:2stems'"):
            Separator(descriptor)


def test_bit_rates_as_scripts_give_them(separator, tmp_path):
    soundfile.write(tmp_path / "song.wav", music(RATE).T, RATE, subtype="FLOAT")
    sizes = []
    for bitrate in ("96k", "96000", 96000, "320k", None):
        separator.separate_to_file(tmp_path / "song.wav", tmp_path / "out", codec="mp3", bitrate=bitrate)
        sizes.append((tmp_path / "out" / "song" / "vocals.mp3").stat().st_size)
    assert sizes[0] == sizes[1] == sizes[2] < sizes[3] == sizes[4]  # the usual one is 320 kbit/s
