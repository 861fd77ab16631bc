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
from stemlane.files.names import Recording, find_recordings, track_name
from stemlane.files.request import Options, Request
from stemlane.files.separating import Outcome, separate_recording
from stemlane.files.staging import remove_leftovers


def separate_file(
    path: str | PurePath,
    folder: str | PurePath = "stems",
    *,
    model: str | Path | Separator = "default",
    provider: str | None = None,
    skip_existing: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **options: Unpack[Options],
) -> Outcome:
    """Write the stems of one audio or video file.

    Parameters
    ----------
    path
        The recording: a path, or an address such as "s3://bucket/song.flac" (needs `stemlane[cluster]`).
    folder
        Below this they go, path or address; it is made if it is missing.
    model
        A model's name, the path of its folder, or a `Separator`, which loads its network once for several calls.
    provider
        What computes the networks, see `Separator`; not beside a `Separator`, which has its own.
    skip_existing
        Leave files alone that are there from the same recording, model and options.
    progress
        Called with the number of samples finished since its last call, and an estimate of all of them, 0 if unknown.
    **options
        `stems` (names, all if None) or `two_stems` (one stem, the second file is all the rest); `name` (the template of
        the files' names, "{track}/{stem}.{ext}"); `file_format` ("wav", "flac", "mp3", "ogg", "opus", "m4a",
        "stem.mp4"), `bits` ("16", "24", "32f"), `bitrate` (kbit/s); `start_seconds`, `duration_seconds`; `clip`
        ("report", "rescale", "clamp"). See `stemlane.files.request.Request`.

    Returns
    -------
    Outcome
        Its `outputs` are the files by the names of their stems, its `warnings` what is to be said of them.

    Raises
    ------
    StemlaneError
        If the recording cannot be read or separated, or the files cannot be written. None of them is there then.

    Examples
    --------
    >>> done = separate_file("song.flac", "stems", model="live", two_stems="vocals", file_format="mp3")
    >>> done.outputs["instrumental"].as_posix(), done.warnings
    ('stems/song/instrumental.mp3', [])
    """
    request = Request.of(**options)
    source, target = place(path, "path"), place(folder, "folder")
    with _separator(model, provider) as separator:
        if isinstance(target, Path):
            remove_leftovers([target])
        recording = Recording(source, track_name(source))
        return separate_recording(
            recording, target, separator, request, skip_existing=skip_existing,
            progress=progress or (lambda num_samples, total: None),
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
    report: Callable[[Outcome], None] | None = None,
    **options: Unpack[Options],
) -> list[Outcome]:
    """Write the stems of many recordings; one that cannot be separated does not keep the others waiting.

    Parameters
    ----------
    paths
        Files, folders, which are searched to the bottom, and patterns such as "music/*.mp3"; addresses are all three.
    folder, model, provider, skip_existing, **options
        See `separate_file`.
    jobs
        How many are separated side by side, by as many threads.
    dask
        Address of a Dask scheduler, "tcp://host:8786", whose workers separate instead. They must see the same files.
    retries
        How many times a recording that failed is tried again, after 1, 2, 4, … seconds.
    status
        A file that gets a JSON line for every attempt.
    report
        Called with the outcome of each as soon as it is known. What it raises ends the batch.

    Returns
    -------
    list of Outcome
        For each recording `path`, `outputs` (files by name, none where there is a problem), `problem` (a text, or
        nothing), `skipped`, `warnings`, `seconds`, `elapsed_seconds` and `provider`.

    Raises
    ------
    StemlaneError
        Before any work, if the options, the model or the places of the results cannot be used.
    """
    request = Request.of(**options)
    if isinstance(paths, (str, bytes)) or not isinstance(paths, Iterable):
        raise InputError(f"paths is {shown(paths)}, should be a list of paths")
    sources, target = [place(path, "a path") for path in paths], place(folder, "folder")
    with _separator(model, provider) as separator:
        found = find_recordings(sources, leave_out=target)
        batch = Batch(
            found, target, separator, request, skip_existing=skip_existing, jobs=jobs,
            dask=dask, retries=retries, status=status,
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
