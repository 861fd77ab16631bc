# SPDX-License-Identifier: MIT
"""A batch on an existing Dask cluster: what a worker does, and its workers as `workers.Rounds` wants them."""

import contextlib
import functools
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import stemlane
from stemlane.engine.separator import Separator
from stemlane.errors import EngineError, InputError, ModelError, StemlaneError, one_line
from stemlane.files.addresses import Place
from stemlane.files.names import Recording
from stemlane.files.request import Request
from stemlane.files.separating import Outcome, try_recording
from stemlane.files.workers import WorkerLostError
from stemlane.manifests.model import Manifest
from stemlane.manifests.registry import find_model

if TYPE_CHECKING:
    from distributed import Client

_CONNECT_SECONDS = 10
_MOST_WAITING = 10_000  # more than clusters have threads, and little work for a scheduler
_LOADING = threading.Lock()


@dataclass(frozen=True)
class Job:
    """What a worker must know beside the recording.

    Attributes
    ----------
    model
        Name of a model each worker has, or the absolute path of one they all see.
    identity
        What that model must be, see `identity_of`.
    folder
        An absolute path they all see, or an address.
    """

    model: str
    identity: tuple[str, ...]
    shifts: int
    provider: str | None
    focus: tuple[tuple[str, float], ...]
    folder: Place
    request: Request
    skip_existing: bool
    overwrite: bool

    @classmethod
    def of(
        cls, separator: Separator, folder: Place, request: Request, *, skip_existing: bool, overwrite: bool = False
    ) -> Self:  # fmt: skip
        """The job of a batch on this machine."""
        manifest = separator.manifest
        model = str(manifest.folder.absolute())
        with contextlib.suppress(StemlaneError):
            if find_model(manifest.name).folder == manifest.folder:
                model = manifest.name
        return cls(model, identity_of(manifest), separator.shifts, separator.asked_provider,
                   tuple(separator.focus.items()), _absolute(folder), request, skip_existing, overwrite)  # fmt: skip


def identity_of(manifest: Manifest) -> tuple[str, ...]:
    """What two models share only if their stems are the same."""
    return (stemlane.__version__, manifest.version, *(file.sha256 for file in manifest.files))


def _absolute(path: Place) -> Place:
    return path.absolute() if isinstance(path, Path) else path


def separate_on_worker(job: Job, recording: Recording) -> Outcome:
    """Separate one recording in a worker's process; a problem is part of the outcome."""
    try:
        separator = _separator(job)
    except StemlaneError as error:
        return Outcome(recording.path, problem=f"{recording.path}: {one_line(error)}")
    return try_recording(
        recording, job.folder, separator, job.request, skip_existing=job.skip_existing, overwrite=job.overwrite
    )


def _separator(job: Job) -> Separator:
    with _LOADING:  # or threads that start together make one each
        return _loaded(job.model, job.shifts, job.provider, job.focus, job.identity)


@functools.lru_cache(maxsize=1)
def _loaded(
    model: str, shifts: int, provider: str | None, focus: tuple[tuple[str, float], ...], identity: tuple[str, ...]
) -> Separator:
    from distributed import get_worker

    if problem := problem_of_model(model, identity):
        raise ModelError(problem)
    separator = Separator(model, shifts=shifts, provider=provider, focus=dict(focus))
    separator.keep_ready(get_worker().state.nthreads)
    return separator


def problem_of_model(model: str, identity: tuple[str, ...]) -> str:
    """Why this machine cannot work with the model of a batch, or nothing."""
    try:
        found = identity_of(find_model(model))
    except StemlaneError as error:
        return one_line(error)
    if found == identity:
        return ""
    return (
        f"model {model!r} is another one here (version {found[1]} in stemlane {found[0]}, not version {identity[1]} in "
        f"{identity[0]}, or another network); install the same on every machine"
    )


class DaskWorkers:
    """The workers of a Dask cluster. A `with` block ends the connection; the cluster goes on.

    Parameters
    ----------
    scheduler
        Its address, such as `tcp://host:8786`.
    outputs
        The files of a recording, as they are called here; workers know absolute paths.

    Raises
    ------
    InputError
        If no scheduler answers there, or Dask is missing.
    ModelError
        If a worker that is there now lacks the model or the package.
    """

    num_at_once = _MOST_WAITING

    def __init__(self, scheduler: str, job: Job, outputs: Callable[[Recording], dict[str, Place]]):
        self._scheduler, self._job, self._outputs = scheduler, job, outputs
        self._client = _connected(scheduler)
        try:
            self._executor = self._client.get_executor(pure=False)  # a second attempt is no repeat of the first
            found = self._client.run(problem_of_model, job.model, job.identity, on_error="return")
            for worker, problem in found.items():
                if problem:
                    raise ModelError(f"worker {worker}: {problem if isinstance(problem, str) else one_line(problem)}")
        except BaseException:
            self._client.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()  # the scheduler drops what nobody waits for any more

    def submit(self, recording: Recording) -> Future[Outcome]:
        """See `Workers`."""
        mine: Future[Outcome] = Future()

        def settle(theirs: Future[Outcome]) -> None:
            try:
                mine.set_result(self._outcome(theirs, recording))
            except StemlaneError as error:
                mine.set_exception(error)

        sent = replace(recording, path=_absolute(recording.path))  # a worker has a working folder of its own
        self._executor.submit(separate_on_worker, self._job, sent).add_done_callback(settle)
        return mine

    def _outcome(self, theirs: Future[Outcome], recording: Recording) -> Outcome:
        from distributed import KilledWorker

        try:
            outcome = theirs.result()
            outputs = {} if outcome.problem else self._outputs(recording)
            return replace(outcome, path=recording.path, outputs=outputs)
        except KilledWorker:
            raise WorkerLostError(
                "the workers that separated it were lost; it may need more memory than they have, or crash a library"
            ) from None
        except CancelledError:
            raise self._gone() from None
        except Exception as error:  # noqa: BLE001 - a worker that cannot begin at all is that recording's problem
            return Outcome(recording.path, problem=f"{recording.path}: unexpected: {one_line(error)}")

    def check(self) -> None:
        """See `Workers`."""
        if self._client.status == "closed":
            raise self._gone()

    def _gone(self) -> EngineError:
        return EngineError(
            f"the scheduler at {self._scheduler} has gone; start it, then the batch again with --skip-existing"
        )


def _connected(scheduler: str) -> "Client":
    try:
        from distributed import Client
        from distributed.comm import get_address_host_port, parse_address
        from distributed.comm.registry import get_backend
    except ImportError:
        raise InputError("--dask needs Dask; run 'pip install distributed'") from None
    try:
        # A client that refuses its address waits for 20 s when it is collected, and complains.
        transport, _ = parse_address(scheduler)
        get_backend(transport)
        if transport != "inproc":  # a scheduler in this process has no port
            get_address_host_port(scheduler)
        return Client(scheduler, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, TypeError, ValueError) as error:
        raise InputError(f"--dask {scheduler}: no scheduler answers there ({one_line(error)})") from None
