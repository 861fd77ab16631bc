# SPDX-License-Identifier: MIT
"""What is to be written for every recording, checked before any work is done."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self, TypedDict, Unpack

from stemlane.engine.separator import Separator
from stemlane.errors import InputError
from stemlane.files.addresses import Place
from stemlane.files.encoding import Encoding
from stemlane.files.names import TEMPLATE, Recording, check_template, output_path
from stemlane.manifests.stem_names import stem_names, stem_of

CLIP_MODES = ("report", "rescale", "clamp")


class Options(TypedDict, total=False):
    """What `Request` and `Encoding` take, as keyword arguments of the library."""

    stems: Sequence[str] | None
    two_stems: str | None
    name: str
    file_format: str
    bits: str | int | None
    bitrate: int | None
    start_seconds: float
    duration_seconds: float | None
    clip: str


@dataclass(frozen=True)
class Request:
    """What is to be written for every recording.

    Attributes
    ----------
    stems
        Names of the stems, all if None.
    two_stems
        Write this stem and, as a second, all that is not in it: `instrumental` for vocals, else `no_<stem>`.
    name
        Where they go below the output folder, of text and `{track}`, `{stem}`, `{ext}`, `{model}` and `{type}`, the
        recording's ending.
    encoding
        Format, bits and bit rate.
    start_seconds, duration_seconds
        The part of the recording that is separated; to its end if `duration_seconds` is None.
    clip
        What becomes of samples above full scale where the format cannot hold them: `report` cuts them off and says so,
        `clamp` cuts them off in all formats, `rescale` makes all stems of the recording softer by one factor.
    """

    stems: tuple[str, ...] | None = None
    two_stems: str | None = None
    name: str = TEMPLATE
    encoding: Encoding = field(default_factory=Encoding)
    start_seconds: float = 0.0
    duration_seconds: float | None = None
    clip: str = "report"

    def __post_init__(self) -> None:
        if self.stems is not None and self.two_stems is not None:
            raise InputError("stems and two stems were both asked for; leave one of the two out")
        if not 0 <= self.start_seconds < math.inf:
            raise InputError(f"start is {self.start_seconds}, should be seconds from 0 on")
        if self.duration_seconds is not None and not 0 < self.duration_seconds < math.inf:
            raise InputError(f"duration is {self.duration_seconds}, should be seconds above 0")
        if self.clip not in CLIP_MODES:
            raise InputError(f"clip is {self.clip!r}, should be one of: {', '.join(CLIP_MODES)}")

    @classmethod
    def of(cls, **options: Unpack[Options]) -> Self:
        """A request of the library's keyword arguments."""
        values: dict[str, Any] = dict(options)
        encoding = Encoding(values.pop("file_format", "wav"), values.pop("bits", None), values.pop("bitrate", None))
        stems = values.pop("stems", None)
        if isinstance(stems, str):
            raise InputError(f"stems is {stems!r}, should be a list of names")
        return cls(stems=tuple(stems) if stems else None, encoding=encoding, **values)

    def shares(self, separator: Separator) -> dict[str, tuple[int, ...]]:
        """For each file of a recording, by name, the indices of the model's stems that are added up in it.

        Raises
        ------
        InputError
            If the model has no such stem, or the template does not keep them apart.
        """
        manifest = separator.manifest
        if self.two_stems is not None:
            index = self._index(separator, self.two_stems)
            stem = manifest.stems[index]
            rest = "instrumental" if stem == "vocals" else f"no_{separator.stems[index]}"
            shares = {
                separator.stems[index]: (index,),
                rest: tuple(other for other in range(len(manifest.stems)) if other != index),
            }
        else:
            indices = [self._index(separator, stem) for stem in self.stems or separator.stems]
            shares = {separator.stems[index]: (index,) for index in dict.fromkeys(indices)}
        check_template(self.name, len(shares))
        return shares

    @staticmethod
    def _index(separator: Separator, stem: str) -> int:
        manifest = separator.manifest
        known = stem_of(manifest, stem)
        if known not in manifest.stems:
            raise InputError(f"model {manifest.name!r} has no stem {stem!r}, it has: {', '.join(stem_names(manifest))}")
        return manifest.stems.index(known)

    def outputs(self, folder: Place, recording: Recording, separator: Separator) -> dict[str, Place]:
        """The files of a recording by name."""
        ext, model = self.encoding.file_format, separator.manifest.name
        return {
            stem: output_path(folder, self.name, recording, stem, ext=ext, model=model)
            for stem in self.shares(separator)
        }

    def fingerprint(self, content: str, separator: Separator) -> str:
        """A number that two results share only if recording, model and all that was asked for are the same.

        `content` tells the recording's content from any other.
        """
        manifest = separator.manifest
        asked = asdict(self) | {"name": "", "stems": sorted(self.shares(separator))}
        model = [manifest.name, manifest.version, separator.shifts, [entry.sha256 for entry in manifest.files]]
        text = json.dumps([content, asked, model], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]
