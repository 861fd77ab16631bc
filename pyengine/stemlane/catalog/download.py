# SPDX-License-Identifier: MIT
"""Fetches one file over HTTP: resumes a broken transfer, retries, and checks what arrives. Uses the system's proxies.

Only commands that a user gave call this; neither importing the package nor the plugin ever does.
"""

import hashlib
import http.client
import json
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stemlane import __version__
from stemlane.catalog.disk import write_error
from stemlane.errors import ModelError, one_line

_CHUNK_BYTES = 1 << 18
_TIMEOUT_SECONDS = 30.0
_TRIES = 5  # in a row without a single new byte
_HIGHEST_BYTES = 4 << 30  # nothing that is fetched comes near
_WORTH_ANOTHER_TRY = (408, 425, 429, 500, 502, 503, 504)


@dataclass
class _Part:
    """The unfinished file, and beside it what the server called the version it belongs to."""

    path: Path

    @property
    def note(self) -> Path:
        return self.path.with_name(self.path.name + ".json")

    @property
    def size_bytes(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def version(self, url: str) -> str:
        """The server's mark (ETag or date) of the version begun with; "" if there is none or it was another address."""
        try:
            note = json.loads(self.note.read_text(encoding="utf-8"))
            return note["version"] if note["url"] == url else ""
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def remember(self, url: str, version: str) -> None:
        self.note.write_text(json.dumps({"url": url, "version": version}), encoding="utf-8")

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def check_url(url: str) -> None:
    """Raise `ModelError` unless `url` is an http or https address that this Python can fetch."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ModelError(f"{url!r}: should be an http:// or https:// address, or a path")
    if parts.scheme == "https" and not hasattr(http.client, "HTTPSConnection"):
        raise ModelError(
            f"{url}: this Python has no TLS to download with; install your system's OpenSSL 3 (libssl.so.3)"
        )


def download(
    url: str,
    target: Path,
    *,
    sha256: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Fetch `url` into `target`, which appears only when it is whole.

    What was fetched before an error stays beside it as `<target>.part`, and the next call goes on from there if the
    server still has the same version.

    Parameters
    ----------
    target
        A file; its folder is made.
    sha256
        Expected hash in hex, or None where only the length can be checked.
    progress
        Called with the number of bytes there are and the number there will be (0 if the server does not say).
    pause
        Waits for some seconds between two tries.

    Raises
    ------
    ModelError
        If the server refuses, cannot be reached, sends too little again and again, or sends something else.
    """
    check_url(url)
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _Part(target.with_name(target.name + ".part"))
    failures = 0
    while True:
        before = part.size_bytes
        resumed = bool(before)
        try:
            _fetch(url, part, progress)
        except _TransferError as error:
            failures = 0 if part.size_bytes > before else failures + 1
            if failures >= _TRIES:
                raise ModelError(f"{url}: {error}; gave up after {_TRIES} tries, run the command again later") from None
            pause(min(0.5 * 2**failures, 8))
            continue
        if sha256 is None or _sha256(part.path) == sha256:
            break
        part.discard()
        if not resumed:
            raise ModelError(f"{url}: is not the expected file (its sha256 differs); nothing was installed")
        # What was there before may have been damaged: once more from the start.
    os.replace(part.path, target)
    part.discard()


class _TransferError(Exception):
    """The transfer failed in a way that may pass."""


def _fetch(url: str, part: _Part, progress: Callable[[int, int], None]) -> None:
    """One request: append the rest to the partial file, or start over if the server cannot resume."""
    start = part.size_bytes
    version = part.version(url) if start else ""
    if start and not version:  # no telling whether the rest would fit
        part.discard()
        start = 0
    headers = {"User-Agent": f"stemlane/{__version__}", "Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": version}
    try:
        opener = urllib.request.build_opener()  # anew, so that it knows the proxies of now
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - `download` has checked the scheme
        with opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
            start, total = _place(response, start)
            if start == 0:
                part.discard()
                part.remember(url, _version(response))
            _append(response, part, start, total, progress)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # what is there is not the beginning of what the server has
            part.discard()
            raise _TransferError("the file on the server has changed") from None
        if error.code in _WORTH_ANOTHER_TRY:
            raise _TransferError(f"the server answers {error.code} {error.reason}") from None
        raise ModelError(f"{url}: the server answers {error.code} {error.reason}") from None
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        # Of an ssl.SSLCertVerificationError; some Pythons have no ssl.
        if said := getattr(reason, "verify_message", ""):
            raise ModelError(f"{url}: the server's certificate is not valid: {said}") from None
        raise _TransferError(one_line(reason) if isinstance(reason, BaseException) else str(reason)) from None
    except OSError as error:
        raise write_error(error, part.path.parent, "what has been fetched is kept") from None


def _version(response: http.client.HTTPResponse) -> str:
    etag: str = response.headers.get("ETag", "")
    date: str = response.headers.get("Last-Modified", "")
    return etag if etag and not etag.startswith("W/") else date


def _place(response: http.client.HTTPResponse, start: int) -> tuple[int, int]:
    """Where in the file the answer begins, and how long the file is (0 if unknown)."""
    stated = response.headers.get("Content-Length", "")
    length = int(stated) if stated.isdecimal() else 0
    if response.status != 206:
        return 0, length
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", response.headers.get("Content-Range", "").strip())
    if not match or int(match[1]) != start:
        raise _TransferError("the server continues at another place than asked")
    return start, int(match[3]) if match[3] != "*" else int(match[2]) + 1


def _append(
    response: http.client.HTTPResponse, part: _Part, start: int, total: int, progress: Callable[[int, int], None]
) -> None:
    done = start
    with part.path.open("ab") as file:
        while chunk := response.read(_CHUNK_BYTES):
            file.write(chunk)
            done += len(chunk)
            if done > _HIGHEST_BYTES:
                raise ModelError(f"{part.path.name}: is longer than any model, {_HIGHEST_BYTES} bytes")
            progress(done, total)
    if total and done < total:
        raise _TransferError(f"the connection ended after {done} of {total} bytes")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
