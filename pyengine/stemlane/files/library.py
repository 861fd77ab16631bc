# SPDX-License-Identifier: MIT
"""What the library offers for files: one, or many."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Unpack

from stemlane.arguments import shown
from stemlane.engine.separator import Separator
from stemlane.errors import InputError
from stemlane.files.addresses import place
from stemlane.files.batch import Batch
from stemlane.files.names import Recording, track_name
from stemlane.files.request import Options, Request
from stemlane.files.search import find_recordings
from stemlane.files.separating import Outcome, separate_recording
from stemlane.files.staging import remove_leftovers


def separate_file(
    path: str | PurePath,
    folder: str | PurePath = "stems",
    *,
    model: str | Path | Separator = "default",
    provider: str | None = None,
    skip_existing: bool = False,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **options: Unpack[Options],
) -> Outcome:
    """Write the stems of one audio or video file.

    Parameters
    ----------
    path
        The recording: a path, or an address such as "s3://bucket/song.flac" (needs fsspec and the store's package).
    folder
        Path or address of the folder for the stems; it is created if missing.
    model
        A model's name, the path of its folder, or a `Separator`, which loads its network once.
    provider
        What computes the networks, see `Separator`; not beside a `Separator`, which has its own.
    skip_existing
        Skip the recording if its stems exist, made from the same recording, model and options.
    overwrite
        Replace whatever is there; otherwise only stems of the same part of the same recording are replaced.
    progress
        Called with the number of samples finished since its last call, and the estimated total, 0 if unknown. An
        exception it raises cancels the work.
    **options
        `stems` (names, all if None) or `two_stems` (one stem; a second file holds the rest); `name` (the template of
        the file names, "{track}/{stem}.{ext}"); `file_format` ("wav", "flac", "mp3", "ogg", "opus", "m4a",
        "stem.mp4"), `bits` ("16", "24", "32f"), `bitrate` (kbit/s); `start_seconds`, `duration_seconds`; `clip`
        ("report", "rescale", "clamp"). See `stemlane.files.request.Request`.

    Returns
    -------
    Outcome
        Its `outputs` are the files by stem.

    Raises
    ------
    StemlaneError
        If the recording cannot be read or separated, or the files cannot be written. Then none of them exists.

    Examples
    --------
    >>> done = separate_file("song.flac", "stems", model="live", two_stems="vocals", file_format="mp3")
    >>> done.outputs["instrumental"].as_posix(), done.warnings
    ('stems/song/instrumental.mp3', [])
    """
    request = Request.of(**options)
    source, target = place(path, "path"), place(folder, "folder")
    with _separator(model, provider) as separator:
        remove_leftovers([target] if isinstance(target, Path) else [])
        return separate_recording(
            Recording(source, track_name(source)), target, separator, request, skip_existing=skip_existing,
            overwrite=overwrite, progress=progress or (lambda num_samples, total: None),
        )  # fmt: skip


def separate_many(
    paths: Iterable[str | PurePath],
    folder: str | PurePath = "stems",
    *,
    model: str | Path | Separator = "default",
    provider: str | None = None,
    jobs: int = 1,
    dask: str | None = None,
    retries: int = 0,
    status: str | Path | None = None,
    skip_existing: bool = False,
    overwrite: bool = False,
    report: Callable[[Outcome], None] | None = None,
    **options: Unpack[Options],
) -> list[Outcome]:
    """Write the stems of many recordings; one that fails does not stop the others.

    Parameters
    ----------
    paths
        Files, folders (searched recursively) and patterns such as "music/*.mp3", as paths or addresses.
    folder, model, provider, skip_existing, overwrite, **options
        See `separate_file`.
    jobs
        How many to separate at a time, each in its own thread.
    dask
        Address of a Dask scheduler, "tcp://host:8786", to separate on its workers. They must see the same files.
    retries
        How many times to retry a failed recording, after 1, 2, 4, … s.
    status
        A file to which a JSON line is appended for every attempt.
    report
        Called with each outcome as soon as it is known. An exception it raises ends the batch.

    Returns
    -------
    list of Outcome
        One per recording, in order.

    Raises
    ------
    StemlaneError
        Before anything is separated, if the options, the model or the output places cannot be used.

    Examples
    --------
    >>> [done.problem for done in separate_many(["song.flac", "missing.mp3"], model="live", stems=["drums"])]
    ['', 'missing.mp3: no such file']
    """
    request = Request.of(**options)
    if isinstance(paths, (str, bytes)) or not isinstance(paths, Iterable):
        raise InputError(f"paths is {shown(paths)}, should be a list of paths")
    sources, target = [place(path, "a path") for path in paths], place(folder, "folder")
    with _separator(model, provider) as separator:
        batch = Batch(
            find_recordings(sources, leave_out=target), target, separator, request, skip_existing=skip_existing,
            overwrite=overwrite, jobs=jobs, dask=dask, retries=retries, status=status,
        )  # fmt: skip
        batch.prepare()
        return batch.run(report or (lambda outcome: None))


@contextmanager
def _separator(model: str | Path | Separator, provider: str | None) -> Iterator[Separator]:
    """The caller's own, or one that lets go of its networks in the end."""
    if isinstance(model, Separator):
        if provider is not None:
            raise InputError(f"provider is {shown(provider)}, but the Separator has one: make it with that provider")
        yield model
    else:
        with Separator(model, provider=provider) as separator:
            yield separator
