# SPDX-License-Identifier: MIT
"""Fetches whole files from stores that fsspec reaches, and sends them there, where they appear when complete."""

import contextlib
import errno
import functools
import hashlib
import json
import re
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
# What stores call a version of an object; all of them change with its content. The first are equal only for equal ones.
_HASHES = ("md5Hash", "content_md5", "Content-MD5", "Digest", "crc32c")
_VERSIONS = (
    *_HASHES, "ETag", "etag",
    *("mtime", "modified", "modify", "LastModified", "Last-Modified", "created"),
)  # fmt: skip
_LARGEST_RECEIPT_BYTES = 1 << 20
_HASHING_TAGS = frozenset({"s3", "s3a", "r2"})  # whose ETag is an MD5; a web server's is often time and size


def _store(address: Address) -> "tuple[AbstractFileSystem, str]":
    """The store of an address, and what it calls the place."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise InputError(f"{address}: addresses need fsspec; run 'pip install fsspec'") from None
    try:
        # What follows ? or # belongs to a name, but fsspec takes it away, and SFTP would log in with it.
        plain = address.url if address.scheme in _OBJECT_STORES | _READ_ONLY else re.split("[?#]", address.url)[0]
        rest = address.url[len(plain) :]
        store, path = url_to_fs(plain + "_" if rest else plain)
    except ImportError as error:
        packages = _PACKAGES.get(address.scheme)
        remedy = f"{address.scheme}:// needs a package; run 'pip install {packages}'" if packages else error
        raise InputError(f"{address}: {remedy}") from None
    except ValueError as error:  # says that no such scheme is known
        raise InputError(f"{address}: {error}") from None
    return store, path[:-1] + rest if rest else path


@contextlib.contextmanager
def _asking(address: Address, done: str) -> "Iterator[tuple[AbstractFileSystem, str]]":
    """The store of an address; what it raises becomes one line."""
    try:
        yield _store(address)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - each store has errors of its own
        if _is_missing(error):
            missing = "no such bucket or folder" if done == "written" else "no such file"
            cause = f" ({one_line(error.__cause__)})" if isinstance(error.__cause__, Exception) else ""
            raise InputError(f"{address}: {missing}{cause}") from None
        raise InputError(f"{address}: cannot be {done} ({one_line(error)})") from None


def _is_missing(error: Exception) -> bool:
    """Whether it says that no such file is there: SMB's is a plain `OSError` with that number."""
    return isinstance(error, FileNotFoundError) or (isinstance(error, OSError) and error.errno == errno.ENOENT)


def files_at(address: Address) -> list[Address]:
    """All files below a folder, sorted, or the one that is there, or those that match a pattern."""
    with _asking(address, "searched") as (store, path):
        magic = min((path.index(mark) for mark in "*?[" if mark in path), default=None)
        names = store.find(path) if magic is None else store.glob(path)
        # Stores leave out the scheme, some the server too: what they say is taken from where the search began.
        root = path if magic is None else path[: path.rindex("/", 0, magic) + 1]
        base = address if magic is None else Address(address.url[: len(address.url) - len(path) + len(root)])
        return sorted(base / name.removeprefix(root).lstrip("/") for name in names)


def version_of(address: Address) -> str:
    """What tells this content of a file from what else may lie there: what its store says, which costs no download.

    A store that says nothing but the size has the file read, and its hash is the answer.
    """
    return _version(address)[0]


def _version_now(address: Address) -> str:
    """The current version, not one from the list of a search."""
    with _asking(address, "read") as (store, path):
        store.invalidate_cache(path)
    return _version(address)[0]


def content_of(address: Address) -> str:
    """What tells this content of a file from that of any other: a hash if its store states one.

    Otherwise its version and its address. Two files of one size may be of one time, too.
    """
    version, is_hash = _version(address)
    return version if is_hash else f"{address}, {version}"


def _version(address: Address) -> tuple[str, bool]:
    """The version of a file, and whether another file cannot have the same."""
    with _asking(address, "read") as (store, path):
        info: dict[str, Any] = store.info(path)
        for name in _VERSIONS:
            if info.get(name):
                is_hash = name in _HASHES or (name == "ETag" and address.scheme in _HASHING_TAGS)
                return f"{info.get('size')} bytes, {name} {info[name]}", is_hash
        with store.open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), True


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
    server, _, _ = address.url.partition("://")[2].partition("/")
    _reach(f"{address.scheme}://{server}")


@functools.cache
def _reach(server: str) -> None:
    """Raise `InputError` if one cannot log in there. Asked once: each time is a login."""
    with _asking(Address(server), "reached"):
        pass


@contextlib.contextmanager
def staged_objects(
    finals: Sequence[Address], request: str, check: Callable[[], None] = lambda: None
) -> Iterator[list[Path]]:
    """Give a temporary place for each of the files `finals`; they are sent when the block ends well and `check` agrees.

    Each appears complete. First goes a receipt for each, which says what all are the answer to, so whatever is there
    when this ends early is known. After the last one goes a receipt that also names their versions: where it is, and
    these are there, nothing is missing.
    """
    with work_folder() as folder:
        staged = [folder / str(index) / final.name for index, final in enumerate(finals)]
        for local in staged:
            local.parent.mkdir()
        yield staged
        check()
        # That of the first name comes last: where it names versions, all of them do.
        receipts = [_receipt(final) for final in sorted(finals, key=str, reverse=True)]
        note = folder / "receipt"

        def send_receipts(versions: dict[str, str | None]) -> None:
            note.write_text(json.dumps({"request": request, "versions": versions}), encoding="utf-8")
            for receipt in receipts:
                _send(note, receipt)

        send_receipts({str(final): None for final in finals})
        for source, final in zip(staged, finals, strict=True):
            _send(source, final)
        send_receipts({str(final): _version_now(final) for final in finals})


@contextlib.contextmanager
def sent(final: Address) -> Iterator[Path]:
    """Give a temporary place for one file; it is sent when the block ends well, and appears complete."""
    with work_folder() as folder:
        local = folder / final.name
        yield local
        _send(local, final)


def _receipt(final: Address) -> Address:
    return final.with_name(f".{final.name}.json")


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
            _rename(store, partial, path)
        except BaseException:
            with contextlib.suppress(Exception):
                store.rm_file(partial)
            raise


def _rename(store: "AbstractFileSystem", old: str, new: str) -> None:
    """Give a file another name, which may be that of a file: some stores (SMB, HDFS) want that one away first."""
    from fsspec import AbstractFileSystem

    if type(store).mv is AbstractFileSystem.mv:  # which copies, too, but takes brackets in names for patterns
        store.cp_file(old, new)
        store.rm_file(old)
        return
    try:
        store.mv(old, new)
    except Exception:
        if not (store.exists(old) and store.exists(new)):
            raise
    store.invalidate_cache()
    if store.exists(old):  # WebHDFS does not say so
        _replace(store, old, new)


def _replace(store: "AbstractFileSystem", old: str, new: str) -> None:
    """Take a file that is in the way of a rename away, and put it back if that does not help."""
    aside = f"{new}.stemlane-old"
    store.mv(new, aside)
    try:
        store.mv(old, new)
    except BaseException as error:
        try:
            store.mv(aside, new)
        except Exception:  # noqa: BLE001 - whatever it is, the file is where it was taken
            raise OSError(f"{one_line(error)}; the file that was there is {aside} now") from error
        raise
    with contextlib.suppress(Exception):  # the new file is in its place
        store.rm_file(aside)


@dataclass(frozen=True)
class Receipt:
    """A small file beside each stem in a store, there before the first stem of its recording is sent.

    Attributes
    ----------
    request
        The mark of these stems, which stems on a disk have in their comments.
    versions
        What the store says of each of them, by address; None until all are there.
    """

    request: str
    versions: dict[str, str | None]

    def is_whole(self, finals: Sequence[Address]) -> bool:
        """Whether all of `finals` are there as they were sent."""
        try:
            return all(self.versions.get(str(final)) == version_of(final) for final in finals)
        except InputError:
            return False


def receipt_of(final: Address) -> Receipt | None:
    """The receipt of a stem, or None; one that is damaged, or of other files, says nothing.

    `InputError` if the store does not let it be read, which says nothing of whether it is there.
    """
    with _asking(_receipt(final), "read") as (store, path):
        try:
            if not 0 < (store.info(path).get("size") or 0) <= _LARGEST_RECEIPT_BYTES:
                return None
            data = store.cat_file(path)
        except OSError as error:
            if not _is_missing(error):
                raise
            return None
    try:
        found = json.loads(data)
        receipt = Receipt(str(found["request"]), dict(found["versions"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return receipt if str(final) in receipt.versions else None


def receipt_of_all(finals: Sequence[Address]) -> Receipt | None:
    """The receipt of stems that were sent together, which is there if those of all of them are; or None."""
    return receipt_of(min(finals, key=str))


def stems_of(files: Sequence[Address]) -> set[Address]:
    """Those of `files` that receipts among them name."""
    there, named = set(files), set[str]()
    for file in files:
        if str(file) not in named and _receipt(file) in there and (receipt := receipt_of(file)):
            named |= receipt.versions.keys()
    return {file for file in files if str(file) in named}


def request_of(stem: Address) -> str:
    """What the receipt of a stem says that it answers; nothing if it has none, or has changed since it was sent."""
    receipt = receipt_of(stem)
    version = receipt.versions[str(stem)] if receipt else ""
    return receipt.request if receipt and version in (None, _version_now(stem)) else ""


def holds_something(address: Address) -> bool:
    """Whether a file is there that is not empty."""
    with _asking(address, "looked for") as (store, path):
        store.invalidate_cache(path)
        try:
            info: dict[str, Any] = store.info(path)
        except OSError as error:
            if not _is_missing(error):
                raise
            return False
        return info["type"] == "file" and info.get("size") != 0
