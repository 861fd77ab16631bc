# SPDX-License-Identifier: MIT
"""Downloads from a server that cuts connections, ignores ranges, sends wrong bytes and redirects."""

import hashlib
import http.client
import random

import pytest
from stemlane.catalog import download as module
from stemlane.catalog.download import download
from stemlane.errors import ModelError
from support.unreliable_server import serve

CONTENT = random.Random(5).randbytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def pauses():
    return []


def left_in(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_whole_file_with_progress(tmp_path):
    seen = []
    with serve(CONTENT) as server:
        target = tmp_path / "deep" / "file"
        download(server.url + "/file", target, sha256=SHA256, progress=lambda *numbers: seen.append(numbers))
    assert target.read_bytes() == CONTENT and left_in(target.parent) == ["file"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_cut_connections_are_resumed_where_they_ended(tmp_path, pauses):
    with serve(CONTENT, cut_after=[700_000, 0, 1_000_000]) as server:
        download(server.url + "/file", tmp_path / "file", sha256=SHA256, pause=pauses.append)
        asked = [asked for _, asked in server.requests]
    assert asked == [None, "bytes=700000-", "bytes=700000-", "bytes=1700000-"]
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert pauses == [0.5, 1.0, 0.5]  # longer where nothing new has come


def test_a_later_run_goes_on(tmp_path, pauses):
    with serve(CONTENT, cut_after=[1_234_567] + [0] * 20) as server:
        with pytest.raises(ModelError, match="ended after 1234567 of 3000000 bytes; gave up after 5 tries"):
            download(server.url + "/file", tmp_path / "file", pause=pauses.append)
        assert left_in(tmp_path) == ["file.part", "file.part.json"]  # nothing that could be taken for the file
        assert sum(pauses) < 30
        server.cut_after.clear()
        server.requests.clear()
        download(server.url + "/file", tmp_path / "file", sha256=SHA256)
        assert server.requests == [("/file", "bytes=1234567-")]
    assert (tmp_path / "file").read_bytes() == CONTENT and left_in(tmp_path) == ["file"]


@pytest.mark.parametrize("behaviour", [{"ranges": False}, {"mark": False}], ids=["ignores ranges", "names no version"])
def test_servers_that_cannot_resume(tmp_path, pauses, behaviour):
    with serve(CONTENT, cut_after=[2_000_000], **behaviour) as server:
        download(server.url + "/file", tmp_path / "file", sha256=SHA256, pause=pauses.append)
        assert len(server.requests) == 2
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_starts_anew(tmp_path, pauses):
    other = bytes(reversed(CONTENT))
    with serve(other, cut_after=[2_000_000] + [0] * 9) as server:
        with pytest.raises(ModelError, match="gave up"):
            download(server.url + "/file", tmp_path / "file", pause=pauses.append)
        server.content = CONTENT
        server.cut_after.clear()
        download(server.url + "/file", tmp_path / "file", sha256=SHA256)
    assert (tmp_path / "file").read_bytes() == CONTENT
    # A server that has become shorter, under the same mark
    with serve(CONTENT, etag='"same"', cut_after=[2_000_000] + [0] * 9) as server:
        with pytest.raises(ModelError, match="gave up"):
            download(server.url + "/file", tmp_path / "short", pause=pauses.append)
        server.content = CONTENT[:1000]
        server.cut_after.clear()
        download(server.url + "/file", tmp_path / "short", pause=pauses.append)
    assert (tmp_path / "short").read_bytes() == CONTENT[:1000]


def test_wrong_bytes_leave_nothing(tmp_path):
    words = "not the expected file .its sha256 differs.; nothing was installed"
    with serve(CONTENT, damage=[True]) as server, pytest.raises(ModelError, match=words):
        download(server.url + "/file", tmp_path / "file", sha256=SHA256)
    assert left_in(tmp_path) == []


def test_a_damaged_beginning_is_fetched_again(tmp_path, pauses):
    with serve(CONTENT, cut_after=[500_000], damage=[True]) as server:
        download(server.url + "/file", tmp_path / "file", sha256=SHA256, pause=pauses.append)
        assert [asked for _, asked in server.requests] == [None, "bytes=500000-", None]
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_redirects_are_followed_with_the_range(tmp_path, pauses):
    with serve(CONTENT, cut_after=[2_500_000]) as server:
        download(server.url + "/elsewhere/file", tmp_path / "file", sha256=SHA256, pause=pauses.append)
        assert server.requests[-1] == ("/file", "bytes=2500000-")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_refusals(tmp_path, pauses):
    with serve(CONTENT, statuses=[503, 429]) as server:
        download(server.url + "/file", tmp_path / "file", sha256=SHA256, pause=pauses.append)
        assert len(server.requests) == 3
        server.statuses.append(404)
        with pytest.raises(ModelError, match="the server answers 404 Not Found"):
            download(server.url + "/none", tmp_path / "none", pause=pauses.append)
        assert len(server.requests) == 4  # asking again would not help
        url = server.url
    with pytest.raises(ModelError, match="gave up after 5 tries, run the command again later"):
        download(url + "/file", tmp_path / "gone", pause=pauses.append)  # nobody listens there any more
    for address in ("file:///etc/passwd", "ftp://example.org/x", "https://", "models/x"):
        with pytest.raises(ModelError, match="should be an http:// or https:// address"):
            download(address, tmp_path / "no")
    assert left_in(tmp_path) == ["file"]


def test_a_python_without_tls_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.delattr(http.client, "HTTPSConnection")
    with pytest.raises(ModelError, match="x: this Python has no TLS to download with; install your system's OpenSSL 3"):
        download("https://example.org/x", tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_proxies_of_the_environment_are_used(tmp_path, monkeypatch):
    with serve(CONTENT) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        for variable in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(variable, raising=False)
        download("http://models.invalid/file", tmp_path / "file", sha256=SHA256)
        assert proxy.requests == [("http://models.invalid/file", None)]


def test_full_disks_and_endless_files(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_HIGHEST_BYTES", 1_000_000)
    with serve(CONTENT) as server, pytest.raises(ModelError, match="longer than any model"):
        download(server.url + "/file", tmp_path / "file")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file.part").symlink_to("/dev/full")
    monkeypatch.undo()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(module._Part, "discard", lambda part: None)
    with (
        serve(CONTENT) as server,
        pytest.raises(ModelError, match="No space left on device, .* MB are free there; what has been"),
    ):
        download(server.url + "/file", tmp_path / "full" / "file")
