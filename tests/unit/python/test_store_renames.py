# SPDX-License-Identifier: MIT
"""How stems get their names in stores that are no object stores: what each takes for a rename."""

import pytest
import soundfile
import stemlane
from stemlane.errors import InputError
from support.audio_files import RATE, music


@pytest.fixture
def song(tmp_path, memory, tiny_models):
    """A recording on the disk."""
    path = tmp_path / "what? [live] *.wav"
    soundfile.write(path, music(20_000).T, RATE)
    return path


def test_names_may_hold_what_patterns_do(song, memory):
    """Such as a song's "[live]": a store without a rename of its own copies, and must not search."""
    for skipped in (False, True):
        assert stemlane.separate_file(song, "memory://out", stems=["bass"], skip_existing=True).skipped is skipped
    assert sorted(memory.find("/out")) == [f"/out/what? [live] */{name}" for name in (".bass.wav.json", "bass.wav")]


@pytest.mark.parametrize("says_so", [True, False])
def test_a_store_that_gives_no_taken_name_is_written_to_again(song, memory, monkeypatch, says_so):
    """Such as SMB, and WebHDFS, whose answer nobody looks at."""

    def mv(self, old, new):
        if not self.exists(new):
            self.cp_file(old, new)
            self.rm_file(old)
        elif says_so:
            raise FileExistsError(new)

    monkeypatch.setattr(type(memory), "mv", mv)
    options = {"name": "a/{stem}.{ext}", "stems": ["bass"], "bits": "16"}
    for model in ("default", "live"):
        stemlane.separate_file(song, "memory://out", model=model, **options)
        stemlane.separate_file(song, f"memory://{model}", model=model, **options)
        assert sorted(memory.find("/out")) == ["/out/a/.bass.wav.json", "/out/a/bass.wav"]
        assert memory.cat_file("/out/a/bass.wav") == memory.cat_file(f"/{model}/a/bass.wav")
    assert stemlane.separate_file(song, "memory://out", model="live", skip_existing=True, **options).skipped


def test_a_rename_that_fails_says_why(song, memory, monkeypatch):
    def mv(self, old, new):
        raise PermissionError("not yours")

    monkeypatch.setattr(type(memory), "mv", mv)
    with pytest.raises(InputError, match="bass.wav.json: cannot be written .PermissionError: not yours"):
        stemlane.separate_file(song, "memory://out", stems=["bass"])
    assert memory.find("/out") == []
