# SPDX-License-Identifier: MIT
"""A Python for macOS is unpacked if it has the hash that is stated."""

import hashlib
import tarfile

import pytest
from support.bundle_parts import files_below, write

from tools.dist import bundle_parts


@pytest.fixture
def pin(tmp_path):
    """A list that names an archive and its hash."""
    write(tmp_path / "packed" / "python" / "bin" / "python3.11", "a program")
    with tarfile.open(tmp_path / "python.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "packed" / "python", "python")
    digest = hashlib.sha256((tmp_path / "python.tar.gz").read_bytes()).hexdigest()
    write(tmp_path / "python.txt", f"# a Python\n{(tmp_path / 'python.tar.gz').as_uri()} {digest}\n")
    return tmp_path / "python.txt"


def test_it_is_unpacked(pin, tmp_path):
    bundle_parts.fetch_standalone_python(tmp_path / "parts" / "python", pin)
    assert files_below(tmp_path / "parts") == {"python/bin/python3.11"}


def test_another_one_is_not(pin, tmp_path):
    with (tmp_path / "python.tar.gz").open("ab") as file:
        file.write(b"more")
    with pytest.raises(SystemExit, match="has the SHA-256 .*, not the .*python.txt: not unpacked"):
        bundle_parts.fetch_standalone_python(tmp_path / "parts" / "python", pin)
    assert not (tmp_path / "parts").exists()
