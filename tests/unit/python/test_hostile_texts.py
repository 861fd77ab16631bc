# SPDX-License-Identifier: MIT
"""Manifests and saved states made to do harm: refused in one line, whatever their sizes say."""

import os
import struct
import tracemalloc

import pytest
from stemlane.errors import ManifestError, PluginError
from stemlane.manifests.model import load_manifest, read_manifest
from stemlane.plugin import presets
from support.tiny_models import build_model, change_manifest


def refused(content: bytes, folder) -> str:
    with pytest.raises(ManifestError) as refusal:
        read_manifest(content, folder)
    said = str(refusal.value)
    assert said.isprintable() and len(said) < 1000
    return said


def test_manifests_that_no_parser_should_see_through(tmp_path):
    assert "cannot be read" in refused(b"a = " + b"[" * 60_000, tmp_path)
    assert "cannot be read" in refused(b"a = " + b"{a=" * 20_000, tmp_path)
    assert "cannot be read" in refused(b"format = " + b"9" * 5000, tmp_path)
    assert "cannot be read" in refused(b"format = 1\xff", tmp_path)
    assert "name has 60000 characters" in refused(b"format = 1\nname = '" + b"x" * 60_000 + b"'", tmp_path)
    assert "should be a whole number" in refused(b"format = '" + b"x" * 60_000 + b"'", tmp_path)
    folder = build_model(tmp_path)
    for size, words in ((1 << 16, "kind"), (1 << 40, "has 1099511627776 bytes, more than 65536")):
        with (folder / "manifest.toml").open("r+b") as file:
            file.truncate(size)
        with pytest.raises(ManifestError, match=words if size > 1 << 16 else "cannot be read"):
            load_manifest(folder)
    (folder / "manifest.toml").unlink()
    os.mkfifo(folder / "manifest.toml")
    with pytest.raises(ManifestError, match="is no regular file"):
        load_manifest(folder)


@pytest.mark.parametrize("key, value", [
    ("title", '"a\\u001b[2Jb"'), ("licence", '"a\\u0007"'), ("origin", '"a\\u202eb"'), ("version", '"\\u0000"'),
    ("title", '"' + "x" * 201 + '"'), ("name", '"' + "x" * 101 + '"'),
    ("path", '"."'), ("path", '"manifest.toml"'), ("path", '"C:x"'), ("path", '"a\\u0000b"'), ("path", '"../x"'),
    ("path", '"/etc/passwd"'), ("path", '"a/../../x"'), ("path", '"./manifest.toml"'),
])  # fmt: skip
def test_texts_and_paths_that_are_refused(tmp_path, key, value):
    folder = build_model(tmp_path)
    change_manifest(folder, key, value)
    assert key in refused((folder / "manifest.toml").read_bytes(), folder)


def test_as_many_files_as_a_model_may_have(tmp_path):
    text = (build_model(tmp_path) / "manifest.toml").read_text(encoding="utf-8")
    entry = text[text.index("[[files]]") : text.index("[tensors]")]
    assert "name a file twice" in refused(text.replace(entry, 2 * entry).encode(), tmp_path)
    many = "".join(entry.replace("network.onnx", f"{number}.onnx") for number in range(65))
    assert "are 65, should be at most 64" in refused(text.replace(entry, many).encode(), tmp_path)


def preset(text: bytes, *, count: int = 1, start: int | None = None, list_start: int | None = None) -> bytes:
    """A preset whose list names the same chunk `count` times."""
    chunk = struct.pack("<Ii", 0x21324356, len(text)) + text + b"\0"
    begin = 48
    head = struct.pack("<4si32sq", b"VST3", 1, b"0" * 32, begin + len(chunk) if list_start is None else list_start)
    entry = struct.pack("<4sqq", b"Comp", begin if start is None else start, len(chunk))
    return head + chunk + struct.pack("<4si", b"List", count) + entry * max(count, 0)


GOOD = b'<?xml version="1.0" encoding="UTF-8"?><STEMLANE model="mix"/>'


def test_states_that_are_as_they_should_be():
    assert presets.read(preset(GOOD)).attrib == {"model": "mix"}


@pytest.mark.parametrize("content", [
    preset(GOOD, count=10_000), preset(GOOD, count=-1), preset(GOOD, start=-40), preset(GOOD, start=1 << 40),
    preset(GOOD, list_start=-24), preset(GOOD, list_start=1 << 60), preset(b"x" * (2 << 20)),
    preset(b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">]><STEMLANE model="&b;"/>'),
    preset(GOOD.replace(b"UTF-8", b"nonsense")), preset(GOOD.replace(b"UTF-8", b"utf-7")),
    preset(b"<a>" * 50_000), preset(b"<STEMLANE"), preset(b"\xff\xfe"), preset(b""), GOOD, b"",
], ids=range(16))  # fmt: skip
def test_states_that_are_refused(content):
    tracemalloc.start()
    with pytest.raises(PluginError) as refusal:
        presets.read(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "\n" not in str(refusal.value) and peak < 20 << 20  # the largest has 2 MiB
