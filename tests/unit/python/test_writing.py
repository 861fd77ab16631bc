# SPDX-License-Identifier: MIT
"""Audio files that are written: values and lengths survive, nothing half-written stays, a full disk is said."""

import resource
import shutil
import sys
from types import ModuleType

import numpy as np
import pytest
import soundfile
import stemlane
from stemlane.errors import InputError
from stemlane.files import sndfile_encoding
from stemlane.files.reading import AudioInput
from stemlane.files.staging import cannot_write
from stemlane.files.writing import AudioOutput


def noise(num_channels, num_samples):
    return np.random.default_rng(37).uniform(-0.9, 0.9, (num_channels, num_samples)).astype(np.float32)


def write(path, samples, rate=44100):
    with AudioOutput(path, rate, samples.shape[0], samples.shape[1]) as output:
        output.write(samples[:, :1000])
        output.write(samples[:, 1000:])
    return path


def read(path, block_samples=700):
    with AudioInput(path) as source:
        return np.concatenate(list(source.blocks(block_samples)), axis=1)


@pytest.mark.parametrize("num_channels", [1, 2])
@pytest.mark.parametrize("ending, subtype, tolerance", [("wav", "FLOAT", 0), ("flac", "PCM_24", 2**-23)])
def test_lossless_formats(tmp_path, ending, subtype, tolerance, num_channels):
    samples = noise(num_channels, 40001)
    path = write(tmp_path / f"a b ü.{ending}", samples, 48000)
    assert (soundfile.info(path).samplerate, soundfile.info(path).subtype) == (48000, subtype)
    np.testing.assert_allclose(read(path), samples, atol=tolerance)  # half a step of 24 bits, doubled for the scale


@pytest.mark.parametrize("num_samples", [1, 100, 44100, 300000])
def test_vorbis_keeps_the_length(tmp_path, num_samples):
    path = write(tmp_path / "a.ogg", noise(2, num_samples))
    assert read(path).shape == (2, num_samples)


def test_very_long_wav_files_get_the_larger_header(tmp_path, monkeypatch):
    monkeypatch.setattr(sndfile_encoding, "_LARGEST_WAV_BYTES", 5000)
    samples = noise(2, 2000)
    path = write(tmp_path / "a.wav", samples)
    assert soundfile.info(path).format == "RF64"
    np.testing.assert_array_equal(read(path), samples)


def test_what_a_link_points_to_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    old, link = write(tmp_path / "elsewhere" / "old.wav", noise(1, 10)), tmp_path / "a.wav"
    link.symlink_to(old)
    samples = noise(2, 2000)
    write(link, samples)
    assert link.is_symlink()
    np.testing.assert_array_equal(read(old), samples)
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["old.wav"]


def test_peak_is_the_largest_so_far(tmp_path):
    with AudioOutput(tmp_path / "a.wav", 44100, 1) as output:
        output.write(np.array([[0.5, -1.5, 1.0]], np.float32))
        output.write(np.zeros((1, 0), np.float32))
    assert output.peak == 1.5


def test_nothing_stays_after_an_error(tmp_path):
    with pytest.raises(KeyboardInterrupt), AudioOutput(tmp_path / "a.wav", 44100, 1) as output:
        output.write(noise(1, 1000))
        assert len(list(tmp_path.iterdir())) == 1
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_stays_until_the_new_one_is_complete(tmp_path):
    path = write(tmp_path / "a.wav", noise(1, 2000))
    before = path.read_bytes()
    with pytest.raises(RuntimeError), AudioOutput(path, 44100, 1) as output:
        output.write(noise(1, 500))
        raise RuntimeError
    assert path.read_bytes() == before
    write(path, noise(1, 1500))
    assert read(path).shape == (1, 1500) and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "name, words",
    [
        ("a.aif", "a.aif: format 'aif' cannot be written, should be one of: wav, flac, ogg, mp3, m4a, opus"),
        ("a", "has no ending that says the format; name it like .*a.wav"),
        ("no/a.wav", "no such folder"),
        ("folder.wav", "is a folder"),
    ],
)
def test_outputs_that_cannot_be(tmp_path, name, words):
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(InputError, match=words):
        AudioOutput(tmp_path / name, 44100, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.wav"]


def test_rates_a_format_cannot_hold_leave_nothing(tmp_path):
    with pytest.raises(InputError, match="a.flac: format flac holds up to 655350 Hz"):
        AudioOutput(tmp_path / "a.flac", 700000, 2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error", [AssertionError(), OSError(28, "No space left on device"), RuntimeError("System error.")]
)
@pytest.mark.parametrize("free_mb", [0.3, 70])
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, monkeypatch, error, free_mb):
    def fail(*_):
        raise error

    monkeypatch.setattr(soundfile.SoundFile, "write", fail)
    usage = shutil.disk_usage(tmp_path)._replace(free=int(free_mb * 1e6))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(InputError) as caught:
        write(tmp_path / "a.wav", noise(1, 2000))
    if free_mb < 1 or isinstance(error, OSError):
        words = f"the disk is full ({free_mb:.1f} MB are free in {tmp_path}); free some space there or write elsewhere"
        assert str(caught.value) == f"{tmp_path}/a.wav: cannot be written, {words}"
    else:
        assert f"; 70 MB are free in {tmp_path})" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_what_ffmpeg_alone_raises_is_said(tmp_path, monkeypatch):
    import av

    def fail(*_):
        raise av.error.ExternalError(0x20545845, "Generic error in an external library")  # none of Python's own

    monkeypatch.setattr(soundfile.SoundFile, "write", fail)
    with pytest.raises(InputError, match=r"a.wav: cannot be written \(.*Generic error in an external library"):
        write(tmp_path / "a.wav", noise(1, 2000))
    assert list(tmp_path.iterdir()) == []


def test_a_failure_is_said_while_another_thread_loads_ffmpeg(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(5, "I/O error")

    monkeypatch.setitem(sys.modules, "av", ModuleType("av"))  # all that is there of it for its first 100 ms
    monkeypatch.setattr(soundfile.SoundFile, "write", fail)
    with pytest.raises(InputError, match=r"a.wav: cannot be written \(I/O error\)"):
        write(tmp_path / "a.wav", noise(1, 2000))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error, words",
    [(PermissionError(13, "Permission denied"), "Permission denied"), (OSError(5, "I/O error"), "I/O error")],
)
def test_what_the_system_says_is_not_taken_for_a_full_disk(tmp_path, monkeypatch, error, words):
    """File systems such as /proc have no free space, and are not full."""
    usage = shutil.disk_usage(tmp_path)._replace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert str(cannot_write("a.wav", tmp_path, error)) == f"a.wav: cannot be written ({words})"
    with pytest.raises(InputError, match=r"^/proc/x/drums.wav: cannot be written \(No such file or directory\)$"):
        stemlane.separate_file(
            write(tmp_path / "a.wav", noise(1, 2000)), "/proc/x", name="{stem}.{ext}", stems=["drums"]
        )


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg"])
def test_files_that_may_not_grow_are_whole_or_not_there(tmp_path, ending):
    """A limit on the size of files stops writing where a full disk would, at every 2 KB, the end included."""
    samples = noise(2, 6000)
    path = tmp_path / f"a.{ending}"
    write(path, samples)
    whole = path.stat().st_size
    path.unlink()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in [*range(0, whole, 2048), whole - 1, whole]:
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
            if limit < whole:
                with pytest.raises(InputError, match=rf"a.{ending}: cannot be written \(.*\)$"):
                    write(path, samples)
            else:
                write(path, samples)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert [found.stat().st_size for found in tmp_path.iterdir()] == ([whole] if limit == whole else [])
