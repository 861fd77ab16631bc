# SPDX-License-Identifier: MIT
"""Folders of models made to do harm: only regular files of bounded size are copied, names and hashes hold."""

import os
from pathlib import Path

import pytest
from stemlane.catalog.install import add_model
from stemlane.errors import ManifestError, ModelError
from stemlane.manifests.integrity import verify_model
from stemlane.manifests.model import load_manifest
from stemlane.manifests.registry import find_model
from support.tiny_mdx import network as mdx_network
from support.tiny_models import build_model, change_manifest

pytestmark = pytest.mark.usefixtures("no_models")


def left_in(data: Path) -> list[str]:
    return sorted(str(path.relative_to(data)) for path in data.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ["MODEL_CARD.md", "LICENSE", "network.onnx", "manifest.toml"])
def test_links_are_not_followed(tmp_path, name):
    """A card that is a link would copy a private file to where others may read it."""
    folder = build_model(tmp_path, name="own")
    private = tmp_path / "private"
    private.write_bytes((folder / name).read_bytes() if (folder / name).exists() else b"secret")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(private)
    with pytest.raises(ModelError, match=f"own/{name}: cannot be copied .is a symbolic link, should be a regular file"):
        add_model(str(folder))
    assert left_in(tmp_path / "data") == []


def test_a_folder_may_be_reached_by_a_link_but_holds_none(tmp_path):
    folder = build_model(tmp_path, name="own")
    (folder / "weights").mkdir()
    (folder / "network.onnx").rename(folder / "weights" / "network.onnx")
    change_manifest(folder, "path", '"weights/network.onnx"')
    (tmp_path / "link").symlink_to(folder)
    assert add_model(str(tmp_path / "link"))[0].name == "own"
    (folder / "weights").rename(tmp_path / "weights")
    (folder / "weights").symlink_to(tmp_path / "weights")
    with pytest.raises(ModelError, match="own/weights: cannot be copied .is a symbolic link"):
        add_model(str(folder), force=True)


@pytest.mark.parametrize("name", ["MODEL_CARD.md", "LICENSE", "network.onnx", "manifest.toml"])
def test_pipes_and_devices_are_not_read(tmp_path, name):
    folder = build_model(tmp_path, name="own")
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    with pytest.raises(ModelError, match="no regular file|no source called"):
        add_model(str(folder))
    (folder / name).unlink()
    (folder / name).symlink_to("/dev/zero")
    with pytest.raises(ModelError, match="symbolic link|no source called"):
        add_model(str(folder))
    assert not (tmp_path / "data").exists() or left_in(tmp_path / "data") == []


def test_sizes_are_bounded(tmp_path, monkeypatch):
    folder = build_model(tmp_path, name="own")
    with (folder / "MODEL_CARD.md").open("wb") as file:
        file.truncate(1 << 40)  # takes no room on the disk
    with pytest.raises(ModelError, match="MODEL_CARD.md: cannot be copied .has 1099511627776 bytes, more than 1048576"):
        add_model(str(folder))
    (folder / "MODEL_CARD.md").unlink()
    with (folder / "network.onnx").open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(ModelError, match="network.onnx: cannot be copied .has 1099511627776 bytes, more than"):
        add_model(str(folder))
    with (folder / "manifest.toml").open("ab") as file:
        file.truncate(1 << 40)
    with pytest.raises(ManifestError, match="manifest.toml: cannot be read: has 1099511627776 bytes"):
        add_model(str(folder))
    assert left_in(tmp_path / "data") == []


@pytest.mark.parametrize("source", ["folder", "mdx"])
def test_a_full_disk_is_named_not_the_file_that_is_read(tmp_path, monkeypatch, source):
    """The kernel's own answer: what is written goes to a device that is always full."""
    opened, built = Path.open, build_model(tmp_path, name="own")

    def full(path, mode="r", **options):
        return opened(Path("/dev/full"), "wb") if mode == "xb" else opened(path, mode, **options)

    def copy(read, written):  # as `shutil` does it where the kernel copies
        raise OSError(28, "No space left on device", str(read), None, str(written))

    monkeypatch.setattr(Path, "open", full)
    monkeypatch.setattr("shutil.copyfile", copy)
    (tmp_path / "x.onnx").write_bytes(mdx_network(70, 12))
    arguments = {"location": str(tmp_path / "x.onnx"), "stem": "vocals", "fft_samples": 4096}
    models = tmp_path / "data" / "stemlane" / "models"
    words = rf"^{models}: No space left on device, \d+ MB are free there; nothing was changed. Free some space on that"
    with pytest.raises(ModelError, match=words):
        add_model(str(built)) if source == "folder" else add_model("mdx", **arguments)
    assert left_in(tmp_path / "data") == []


def test_what_is_copied_is_what_was_checked(tmp_path):
    """The hash is of the bytes that were written, not of those that were there before."""
    folder = build_model(tmp_path, name="own")
    (folder / "network.onnx").write_bytes(b"changed")
    with pytest.raises(ModelError, match=r"own/network.onnx is damaged or changed \(sha256 .*install the model again"):
        add_model(str(folder))
    assert left_in(tmp_path / "data") == []


def test_names_of_embedded_models_cannot_be_taken(tmp_path):
    """The remedy must be one that works: --name does not rename a folder's model, another name in its manifest does."""
    for name in ("mix", "live"):
        with pytest.raises(ModelError, match=f"{name!r} belongs to .*; change it in manifest.toml"):
            add_model(str(build_model(tmp_path, name=name)))
    change_manifest(tmp_path / "mix", "name", '"remixed"')
    assert add_model(str(tmp_path / "mix"))[0].name == "remixed"
    with pytest.raises(ModelError, match="belongs to a model that comes with the package; choose one with --name"):
        add_model("spleeter:4stems", name="mix")
    own = build_model(tmp_path, name="own")
    add_model(str(own))
    with pytest.raises(ModelError, match="there already; --force replaces it, or change it in manifest.toml"):
        add_model(str(own))


def test_an_added_model_is_not_read_again_until_it_changes(tmp_path, monkeypatch):
    add_model(str(build_model(tmp_path, name="own")))
    manifest = find_model("own")
    from stemlane.manifests import integrity, registry

    read = []
    monkeypatch.setattr(integrity, "_verify", lambda found, entry: read.append(entry.path))
    registry.check_model(manifest)
    assert read == []
    verify_model(manifest)  # always
    assert read == ["network.onnx"]
    read.clear()
    network = manifest.folder / "network.onnx"
    content, stat = network.read_bytes(), network.stat()
    os.utime(network, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    registry.check_model(manifest)
    assert read == ["network.onnx"]  # another time
    network.write_bytes(content + b"\0")
    os.utime(network, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    registry.check_model(manifest)
    assert len(read) == 2  # another size
    network.write_bytes(content)
    os.utime(network, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    registry.check_model(manifest)
    assert len(read) == 2
    (manifest.folder.parent / integrity.CHECKED_NAME).write_bytes(b"\xff nonsense\n")
    registry.check_model(manifest)
    assert len(read) == 3  # without a table all are read
    registry.check_model(load_manifest(tmp_path / "own"))
    assert len(read) == 4  # and those of other folders


def test_changed_and_missing_files_are_found_when_a_model_is_loaded(tmp_path):
    from stemlane.engine.streaming import StreamingSeparator

    add_model(str(build_model(tmp_path, name="own")))
    network = find_model("own").folder / "network.onnx"
    content = bytearray(network.read_bytes())
    content[len(content) // 2] ^= 1
    network.write_bytes(content)
    with pytest.raises(ModelError, match="damaged or changed"):
        StreamingSeparator("own", 44100, 2)
    network.unlink()
    with pytest.raises(ModelError, match="cannot be read .No such file"):
        StreamingSeparator("own", 44100, 2)
