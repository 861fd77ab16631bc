# SPDX-License-Identifier: MIT
"""What all tests share: the helpers on the path, fixed seeds, tiny models, the folder of openly licensed audio."""

import os
import sys
from pathlib import Path

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).parent))
hypothesis.settings.register_profile("stemlane", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("stemlane")


@pytest.fixture(scope="session", autouse=True)
def nobody(tmp_path_factory):
    """Tests run as a user who has added and set nothing, whatever whoever runs them has."""
    folder = tmp_path_factory.mktemp("nobody")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        for name in ("STEMLANE_MODELS", "STEMLANE_PROVIDER"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory):
    """A folder with tiny models called `mix` and `live`, of the embedded models' sizes."""
    from support.tiny_models import build_model

    folder = tmp_path_factory.mktemp("models")
    build_model(
        folder, name="mix", fft_samples=2048, synthesis_samples=2048, hop_samples=512,
        frames_per_step=4, lookahead_frames=4, compute_allowance_samples=4096,
    )  # fmt: skip
    build_model(
        folder, name="live", fft_samples=2048, synthesis_samples=1024, hop_samples=512,
        frames_per_step=1, lookahead_frames=0, compute_allowance_samples=1536,
    )  # fmt: skip
    return folder


@pytest.fixture
def tiny_models(models_folder, monkeypatch):
    """The same in place of the embedded ones, in this process, with `mix` as the default."""
    monkeypatch.setattr("stemlane.manifests.registry.embedded_folder", lambda: models_folder)
    monkeypatch.setattr("stemlane.manifests.registry.ALIASES", {"default": "mix"})
    return models_folder


@pytest.fixture
def no_models(tmp_path, monkeypatch):
    """A user without models, whose data is in `tmp_path`/data; models are measured on noise, which is quick."""
    from stemlane.catalog import measured
    from stemlane.catalog.convert.places import MIRROR_VARIABLE
    from support.tiny_models import short_recording

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("STEMLANE_MODELS", raising=False)
    monkeypatch.delenv(MIRROR_VARIABLE, raising=False)
    monkeypatch.setattr(measured, "recording", short_recording)


@pytest.fixture
def trials_here(monkeypatch):
    """Models that are added are tried in this process: quick, where the process of a trial is not what is shown."""
    from support.trials import try_here

    try_here(monkeypatch)


@pytest.fixture
def memory(monkeypatch):
    """A store that is empty: fsspec's memory, whose addresses begin with memory://."""
    import fsspec

    store = fsspec.filesystem("memory")
    monkeypatch.setattr(type(store), "store", {})
    monkeypatch.setattr(type(store), "pseudo_dirs", [""])
    return store


@pytest.fixture(scope="session")
def shared_audio():
    """Folder of the openly licensed recordings that are not part of the repository (models/training/SOURCES.md)."""
    named = os.environ.get("STEMLANE_AUDIO")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "audio"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}; name that of the openly licensed audio in STEMLANE_AUDIO")
    return folder
