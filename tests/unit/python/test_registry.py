# SPDX-License-Identifier: MIT
"""Which model a name means, and whether its files are what the manifest says."""

import os

import pytest
from stemlane.errors import ManifestError, ModelError
from stemlane.manifests import registry
from stemlane.manifests.integrity import verify_model
from support.tiny_models import build_model


def test_names_alias_and_paths(tiny_models, tmp_path):
    assert registry.find_model("mix").folder == tiny_models / "mix"
    assert registry.find_model("default").name == "mix"
    elsewhere = build_model(tmp_path, name="own")
    assert registry.find_model(elsewhere).name == "own"
    assert registry.find_model(str(elsewhere)).name == "own"


def test_unknown_names_list_what_there_is(tiny_models, tmp_path):
    with pytest.raises(ModelError, match="no model called 'nope'; there are: live, mix"):
        registry.find_model("nope")
    with pytest.raises(ModelError, match=r"no model called 'MIX', did you mean 'mix'\?"):
        registry.find_model("MIX")
    with pytest.raises(ModelError, match=r"no model called 'mixx', did you mean 'mix'\? There are: live, mix"):
        registry.find_model("mixx")
    with pytest.raises(ModelError, match="no model called ''"):
        registry.find_model("")
    with pytest.raises(ModelError, match="a model is a folder"):
        registry.find_model(tmp_path)


def test_search_order_and_user_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(registry, "embedded_folder", lambda: tmp_path / "embedded")
    monkeypatch.setenv("STEMLANE_MODELS", os.pathsep.join([str(tmp_path / "x"), "", str(tmp_path / "y")]))
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
    folders = [tmp_path / "embedded", tmp_path / "x", tmp_path / "y", tmp_path / "data" / "stemlane" / "models"]
    assert list(registry.search_folders()) == folders
    for folder in reversed(folders):  # a folder searched earlier wins
        build_model(folder, name="same")
        assert registry.find_model("same").folder == folder / "same"
    listings = registry.list_models()
    assert [listing.folder for listing in listings if listing.manifest] == [folders[0] / "same"]
    # The others would never be used: the list says so.
    assert [listing.folder for listing in listings if not listing.manifest] == [path / "same" for path in folders[1:]]
    assert all("belongs to a model that comes with the package" in listing.problem for listing in listings[1:])


def test_broken_models_are_listed_with_their_problem(tmp_path, monkeypatch):
    monkeypatch.setenv("STEMLANE_MODELS", str(tmp_path))
    build_model(tmp_path, name="broken")
    build_model(tmp_path, name="good")
    (tmp_path / "broken" / "manifest.toml").write_text("nonsense", encoding="utf-8")
    found = {listing.name: listing for listing in registry.list_models()}
    assert found["good"].manifest.name == "good"
    assert found["broken"].manifest is None and "cannot be read" in found["broken"].problem


def test_folder_and_manifest_must_agree_on_the_name(tmp_path, monkeypatch):
    monkeypatch.setenv("STEMLANE_MODELS", str(tmp_path))
    build_model(tmp_path, name="one").rename(tmp_path / "two")
    with pytest.raises(ManifestError, match="name is 'one', should be the folder's, 'two'"):
        registry.find_model("two")


def test_verify_finds_damage_and_loss(tmp_path):
    manifest = registry.find_model(build_model(tmp_path))
    verify_model(manifest)
    network = manifest.folder / "network.onnx"
    content = bytearray(network.read_bytes())
    content[len(content) // 2] ^= 1
    network.write_bytes(content)
    with pytest.raises(ModelError, match="damaged or changed"):
        verify_model(manifest)
    network.unlink()
    with pytest.raises(ModelError, match="cannot be read .No such file"):
        verify_model(manifest)


def test_embedded_models_cannot_be_replaced(tmp_path, tiny_models, monkeypatch):
    """A folder in the environment would otherwise decide what `mix` is, in every host and script."""
    monkeypatch.setenv("STEMLANE_MODELS", str(tmp_path))
    build_model(tmp_path, name="mix", masks=(0, 0, 0))
    build_model(tmp_path, name="default", masks=(0, 0, 0))
    build_model(tmp_path, name="own")
    assert registry.find_model("mix").folder == registry.find_model("default").folder == tiny_models / "mix"
    assert registry.find_model("own").folder == tmp_path / "own"
    hidden = [listing for listing in registry.list_models() if not listing.manifest]
    assert sorted(listing.name for listing in hidden) == ["default", "mix"]
    assert all("belongs to a model that comes with the package; give it another" in item.problem for item in hidden)


def test_folders_that_depend_on_where_one_stands_are_refused(tmp_path, tiny_models, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build_model(tmp_path / "models", name="own")
    monkeypatch.setenv("STEMLANE_MODELS", "models")
    attempts = (lambda: registry.find_model("own"), lambda: registry.find_model("mix"), registry.list_models)
    for attempt in attempts:  # an embedded model would be found before, and is refused all the same
        with pytest.raises(ModelError, match="STEMLANE_MODELS names 'models', which depends on where a program is"):
            attempt()
    monkeypatch.setenv("STEMLANE_MODELS", f"{tmp_path}/modles")
    for attempt in attempts:
        with pytest.raises(ModelError, match=f"STEMLANE_MODELS names '{tmp_path}/modles', which is no folder: make it"):
            attempt()


def test_folders_that_everybody_may_write_to_are_refused(tmp_path, tiny_models, monkeypatch):
    folder = tmp_path / "a" / "models"
    build_model(folder, name="own")
    monkeypatch.setenv("STEMLANE_MODELS", str(folder))
    (tmp_path / "link").symlink_to(folder)
    for open_one, mode in ((folder, 0o777), (folder, 0o1777), (tmp_path / "a", 0o757)):
        before = open_one.stat().st_mode
        open_one.chmod(mode)
        for name in (folder, tmp_path / "link"):
            monkeypatch.setenv("STEMLANE_MODELS", str(name))
            with pytest.raises(ModelError, match=f"everybody may write to {open_one}: run chmod o-w {open_one}"):
                registry.find_model("own")
        open_one.chmod(before)
    (tmp_path / "a").chmod(0o1777)  # like /tmp: nobody can replace what is another's
    assert registry.find_model("own").name == "own"
