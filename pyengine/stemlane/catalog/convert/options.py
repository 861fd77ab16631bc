# SPDX-License-Identifier: MIT
"""What a user may ask for when adding a model, beside where it comes from. Standard library only."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from stemlane.arguments import check_names
from stemlane.errors import ModelError
from stemlane.manifests.kinds import MASK_EXTENSIONS

_COMMAND_LINE = {
    "mask_extension": "--extension", "wiener_iterations": "--wiener", "stem": "--stem", "fft_samples": "--n-fft",
    "compensation": "--compensation", "both_signs": "--denoise", "config": "--config",
    "stitching": "--stitching",
}  # fmt: skip


@dataclass(frozen=True)
class AddOptions:
    """Options of `stemlane models add`; each kind of source takes some of them.

    Attributes
    ----------
    mask_extension
        "zeros" or "average": what bins above Spleeter's network get.
    wiener_iterations
        Iterations of the multichannel Wiener filter after the network, None for as many as the original's default.
    stem, fft_samples, compensation
        What an MDX network gives, the length of its transform, and the factor for its output, where nobody knows.
    both_signs
        Whether an MDX network is run on the negated spectrum too.
    config
        File of the settings a checkpoint was trained with.
    stitching
        "own", or "reference" for segments that overlap and are joined as the trainer's own program does.
    """

    mask_extension: str = "zeros"
    wiener_iterations: int | None = None
    stem: str | None = None
    fft_samples: int | None = None
    compensation: float | None = None
    both_signs: bool = False
    config: Path | None = None
    stitching: str = "own"

    def __post_init__(self) -> None:
        if self.stitching not in ("own", "reference"):
            raise ModelError(f"stitching is {self.stitching!r}, should be one of: own, reference")
        if self.mask_extension not in MASK_EXTENSIONS:
            raise ModelError(f"extension is {self.mask_extension!r}, should be one of: {', '.join(MASK_EXTENSIONS)}")

    @classmethod
    def of(cls, **options: Any) -> Self:
        """Those of `add_model`; `InputError` if there is none of a name."""
        check_names(options, (field.name for field in fields(cls)), "add_model")
        return cls(**options)

    def check_wiener(self, highest: int) -> None:
        """Raise `ModelError` if the Wiener filter is to be iterated more often than `highest`."""
        if self.wiener_iterations is not None and not 0 <= self.wiener_iterations <= highest:
            raise ModelError(f"--wiener is {self.wiener_iterations}, should be from 0 to {highest}")

    def check_taken(self, source: str, taken: tuple[str, ...]) -> None:
        """Raise `ModelError` if an option has been set that the source does not take."""
        for field in fields(self):
            if field.name not in taken and getattr(self, field.name) != field.default:
                raise ModelError(f"{_COMMAND_LINE[field.name]} means nothing for {source}; leave it out")
