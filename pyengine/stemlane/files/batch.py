# SPDX-License-Identifier: MIT
"""Many recordings one after the other: a damaged one is reported in the end and does not keep the others waiting."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from stemlane.engine.separator import Separator
from stemlane.errors import InputError, StemlaneError, one_line
from stemlane.files.names import output_folders
from stemlane.files.offline import check_place, choose_stems, separate_file, stem_files
from stemlane.files.staging import remove_leftovers
from stemlane.files.writing import check_format


@dataclass
class Outcome:
    """What has become of one recording.

    Attributes
    ----------
    path
        The recording.
    folder
        Where its stems are, or would have been.
    problem
        Why there are none, or nothing.
    warnings
        What is to be said of stems that are there.
    """

    path: str | Path
    folder: Path
    problem: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Batch:
    """Recordings to be separated, every obstacle at the places they go to found beforehand."""

    separator: Separator
    places: dict[str | Path, Path]
    stems: list[str]
    file_format: str

    def run(
        self,
        report: Callable[[Outcome], None] = lambda outcome: None,
        progress: Callable[[str | Path], AbstractContextManager[Callable[[int], None]]] | None = None,
    ) -> list[Outcome]:
        """Separate all of them.

        Parameters
        ----------
        report
            Called with the outcome of each as soon as it is known.
        progress
            Gives, for a recording, a context manager and in it a function that is called with the number of samples
            finished since its last call.

        Returns
        -------
        list of Outcome
            In the order of the recordings.
        """
        outcomes = []
        for path, folder in self.places.items():
            outcome = Outcome(path, folder)
            try:
                with progress(path) if progress else nullcontext(lambda num_samples: None) as done:
                    outcome.warnings = separate_file(
                        path, folder, self.separator, stems=self.stems, file_format=self.file_format, progress=done
                    )
            except StemlaneError as error:
                outcome.problem = one_line(error)
            except MemoryError:
                outcome.problem = f"{path}: there is not enough memory to separate it"
            outcomes.append(outcome)
            report(outcome)
        return outcomes


def prepare_batch(
    paths: Sequence[str | Path], folder: str | Path, separator: Separator, *, stems: Sequence[str] | None = None,
    file_format: str = "wav",
) -> Batch:  # fmt: skip
    """Find out where the stems of `paths` go, below `folder`, and whether they can.

    Raises
    ------
    InputError
        If two recordings would go to one place, or something is in the way at one of the places.
    """
    file_format = check_format(file_format)
    chosen = choose_stems(separator, stems)
    places = dict(zip(paths, output_folders(paths, folder), strict=True))
    for path, place in places.items():
        if place.exists() and not place.is_dir():
            raise InputError(f"{place}: is a file, the stems of {path} need a folder of that name")
        check_place(path, stem_files(place, chosen, file_format))
    remove_leftovers([Path(folder), *(place.parent for place in places.values())])
    return Batch(separator, places, chosen, file_format)
