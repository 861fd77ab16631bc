# SPDX-License-Identifier: MIT
"""Fetches whole files from stores that fsspec reaches, and sends them there, where they appear when complete."""

import contextlib
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stemlane.errors import InputError, one_line
from stemlane.files.addresses import Address
from stemlane.files.staging import work_folder

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

# An upload to these appears when it is complete, and a rename is a copy. Elsewhere a file shows while it grows.
_OBJECT_STORES = frozenset({"abfs", "abfss", "az", "gcs", "gs", "oci", "oss", "r2", "s3", "s3a"})
_READ_ONLY = frozenset({"data", "git", "github", "http", "https", "zip"})
# What reaches a store beside fsspec.
_PACKAGES = {
    **dict.fromkeys(("http", "https"), "requests aiohttp"), **dict.fromkeys(("s3", "s3a"), "s3fs"),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"), **dict.fromkeys(("abfs", "abfss", "az"), "adlfs"),
    **dict.fromkeys(("sftp", "ssh"), "paramiko"), "oci": "ocifs", "oss": "ossfs", "smb": "smbprotocol",
}  # fmt: skip
# What stores call a version of an object; all of them change with its content.
_VERSIONS = (
    *("ETag", "etag", "md5Hash", "content_md5", "Content-MD5", "Digest", "crc32c"),
    *("mtime", "modified", "modify", "LastModified", "Last-Modified", "created"),
)


def _store(address: Address) -> "tuple[AbstractFileSystem, str]":
    """The store of an address, and what it calls the place."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise InputError(f"{address}: addresses need fsspec; run 'pip install fsspec'") from None
    try:
        store, path = url_to_fs(str(address))
    except ImportError as error:
        packages = _PACKAGES.get(address.scheme)
        remedy = f"{address.scheme}:// needs a package; run 'pip install {packages}'" if packages else error
        raise InputError(f"{address}: {remedy}") from None
    except ValueError as error:  # says that no such scheme is known
        raise InputError(f"{address}: {error}") from None
    return store, path


@contextlib.contextmanager
def _asking(address: Address, done: str) -> "Iterator[tuple[AbstractFileSystem, str]]":
    """The store of an address; what it raises becomes one line."""
    try:
        yield _store(address)
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{address}: no such file") from None
    except Exception as error:  # noqa: BLE001 - each store has errors of its own
        raise InputError(f"{address}: cannot be {done} ({one_line(error)})") from None


def files_at(address: Address) -> list[Address]:
    """All files below a folder, sorted, or the one that is there, or those that match a pattern."""
    with _asking(address, "searched") as (store, path):
        magic = min((path.index(mark) for mark in "*?[" if mark in path), default=None)
        names = store.find(path) if magic is None else store.glob(path)
        # Stores leave out the scheme, some the server too: what they say is taken from where the search began.
        root = path if magic is None else path[: path.rindex("/", 0, magic) + 1]
        base = address if magic is None else Address(str(address)[: len(str(address)) - len(path) + len(root)])
        return sorted(base / name.removeprefix(root).lstrip("/") for name in names)


def version_of(address: Address) -> str:
    """What tells this content of a file from another: what its store says of it, which costs no download.

    A store that says nothing but the size has the file read, and its hash is the answer.
    """
    with _asking(address, "read") as (store, path):
        info: dict[str, Any] = store.info(path)
        for name in _VERSIONS:
            if info.get(name):
                return f"{info.get('size')} bytes, {name} {info[name]}"
        with store.open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def fetched(address: Address) -> Iterator[Path]:
    """A copy of a file on this machine's disk, which goes in the end."""
    with work_folder() as folder:
        copy = folder / f"recording{address.suffix}"
        with _asking(address, "fetched") as (store, path):
            store.get_file(path, str(copy))
        yield copy


def check_writable(address: Address) -> None:
    """Raise `InputError` if results cannot go there, before any work is done for them."""
    if address.scheme in _READ_ONLY:
        raise InputError(f"{address}: can only be read; write to a folder, or to a store such as s3:// or gs://")
    _store(address)


@contextlib.contextmanager
def staged_objects(
    finals: Sequence[Address], request: str, check: Callable[[], None] = lambda: None
) -> Iterator[list[Path]]:
    """Give a temporary place for each of the files `finals`; they are sent when the block ends well and `check` agrees.

    Each appears complete. Behind the last one goes a receipt, which says what they are the answer to: where it is,
    and the versions it names are there, nothing is missing.
    """
    with work_folder() as folder:
        staged = [folder / str(index) / final.name for index, final in enumerate(finals)]
        for local in staged:
            local.parent.mkdir()
        yield staged
        check()
        receipt = _receipt(finals)
        with _asking(receipt, "removed") as (store, path), contextlib.suppress(FileNotFoundError):
            store.rm_file(path)
        for source, final in zip(staged, finals, strict=True):
            _send(source, final)
        text = json.dumps({"request": request, "versions": {str(final): version_of(final) for final in finals}})
        note = folder / "receipt"
        note.write_text(text, encoding="utf-8")
        _send(note, receipt)


@contextlib.contextmanager
def sent(final: Address) -> Iterator[Path]:
    """Give a temporary place for one file; it is sent when the block ends well, and appears complete."""
    with work_folder() as folder:
        local = folder / final.name
        yield local
        _send(local, final)


def _receipt(finals: Sequence[Address]) -> Address:
    first = min(finals, key=str)
    return first.with_name(f".{first.name}.json")


def _send(source: Path, address: Address) -> None:
    with _asking(address, "written") as (store, path):
        if address.scheme in _OBJECT_STORES:
            store.put_file(str(source), path)
            return
        parent = path.rpartition("/")[0]
        partial = f"{parent}/.stemlane-{secrets.token_hex(8)}.partial"
        store.makedirs(parent, exist_ok=True)
        try:
            store.put_file(str(source), partial)
            store.mv(partial, path)
        except BaseException:
            with contextlib.suppress(Exception):
                store.rm_file(partial)
            raise


@dataclass(frozen=True)
class Receipt:
    """What lies behind the stems of one recording in a store.

    Attributes
    ----------
    request
        What the stems are the answer to.
    versions
        What the store says of each of them, by address.
    """

    request: str
    versions: dict[str, str]

    def is_whole(self, finals: Sequence[Address]) -> bool:
        """Whether all of `finals` are there as they were sent."""
        try:
            return all(self.versions.get(str(final)) == version_of(final) for final in finals)
        except InputError:
            return False


def receipt_of(finals: Sequence[Address]) -> Receipt | None:
    """The receipt of stems that were sent together, or None; one that is damaged says nothing."""
    try:
        with _asking(_receipt(finals), "read") as (store, path):
            found = json.loads(store.cat_file(path))
        return Receipt(str(found["request"]), dict(found["versions"]))
    except (InputError, ValueError, KeyError, TypeError):
        return None


def stems_of(files: Sequence[Address]) -> set[Address]:
    """Those of `files` that receipts among them name."""
    named: set[str] = set()
    audio = set(files)
    for file in files:
        stem = file.with_name(file.name[1:].removesuffix(".json")) if file.name.startswith(".") else file
        if stem != file and stem in audio and (receipt := receipt_of([stem])):
            named |= receipt.versions.keys()
    return {file for file in files if str(file) in named}


def is_there(address: Address) -> bool:
    """Whether there is something at an address."""
    with _asking(address, "looked for") as (store, path):
        return bool(store.exists(path))
