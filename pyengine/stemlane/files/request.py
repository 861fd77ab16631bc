# SPDX-License-Identifier: MIT
"""What is to be written for every recording, checked before any work is done."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self, TypedDict, Unpack

from stemlane.arguments import check_names, is_number, near_miss, shown
from stemlane.engine.separator import Separator
from stemlane.errors import InputError
from stemlane.files.addresses import Place
from stemlane.files.encoding import Encoding
from stemlane.files.formats import STEM_FILE
from stemlane.files.names import TEMPLATE, WHOLE_TEMPLATE, Recording, check_template, output_path
from stemlane.manifests.stem_names import stem_names, stem_of

CLIP_MODES = ("report", "rescale", "clamp")
_OTHERS = "'stemlane models list --available' says what other models have"
_LONGEST_SECONDS = 1e9  # 30 years: longer than any recording, and a number of samples that a float holds exactly


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
        Where they go below the output folder, of text and `{track}` (the recording's name), `{parent}` (its folder),
        `{type}` (its ending), `{stem}`, `{ext}` (the stem's ending) and `{model}`. The usual template of a stem file is
        "{track}.{ext}".
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
        if not is_number(self.start_seconds, 0, _LONGEST_SECONDS):
            raise InputError(f"start is {shown(self.start_seconds)}, should be seconds from 0 on")
        duration = self.duration_seconds
        if duration is not None and not (is_number(duration, 0, _LONGEST_SECONDS) and duration > 0):
            raise InputError(f"duration is {shown(duration)}, should be seconds above 0")
        for name, value in (("start_seconds", self.start_seconds), ("duration_seconds", duration)):
            object.__setattr__(self, name, None if value is None else float(value))  # 1 and 1.0 are one request
        if str(self.clip) not in CLIP_MODES:
            raise InputError(f"clip is {shown(self.clip)}, should be one of: {', '.join(CLIP_MODES)}")
        if not isinstance(self.name, str):
            raise InputError(f"name is {shown(self.name)}, should be like {TEMPLATE}")
        for stem in (*(self.stems or ()), *([] if self.two_stems is None else [self.two_stems])):
            if not isinstance(stem, str):
                raise InputError(f"a stem is {shown(stem)}, should be a name")
        if self.makes_stem_file:
            if self.stems is not None or self.two_stems is not None:
                raise InputError("a stem file holds drums, bass, other and vocals; stems cannot be chosen for it")
            if self.name == TEMPLATE:
                object.__setattr__(self, "name", WHOLE_TEMPLATE)

    @classmethod
    def of(cls, **options: Unpack[Options]) -> Self:
        """A request of the library's keyword arguments."""
        check_names(options, Options.__annotations__, "separation")
        values: dict[str, Any] = dict(options)
        encoding = Encoding(values.pop("file_format", "wav"), values.pop("bits", None), values.pop("bitrate", None))
        stems = values.pop("stems", None)
        if stems is not None and (isinstance(stems, str) or not isinstance(stems, Iterable)):
            raise InputError(f"stems is {shown(stems)}, should be a list of names")
        return cls(stems=tuple(stems if stems is not None else ()) or None, encoding=encoding, **values)

    @property
    def makes_stem_file(self) -> bool:
        """Whether all stems go to one file."""
        return self.encoding.file_format == STEM_FILE

    def shares(self, separator: Separator) -> dict[str, tuple[int, ...]]:
        """For each file of a recording, by name, the indices of the model's stems that are added up in it.

        Raises
        ------
        InputError
            If the model has no such stem, or the template does not keep them apart.
        """
        manifest = separator.manifest
        if self.makes_stem_file:
            shares = {"stems": tuple(range(len(manifest.stems)))}
        elif self.two_stems is not None:
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
        check_template(self.name, len(shares), self.encoding.file_format)
        return shares

    @staticmethod
    def _index(separator: Separator, stem: str) -> int:
        manifest = separator.manifest
        known = stem_of(manifest, stem)
        if known not in manifest.stems:
            names = stem_names(manifest)
            rest = "vocals" if stem == "instrumental" else stem.removeprefix("no_")
            if rest != stem and rest in names:
                raise InputError(f"model {manifest.name!r} has no stem {shown(stem)}; --two-stems {rest} writes it")
            near = near_miss(stem, names)
            raise InputError(
                f"model {manifest.name!r} has no stem {shown(stem)}"
                + (f"{near} It has: {', '.join(names)}" if near else f", it has: {', '.join(names)}; {_OTHERS}")
            )
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
        model += [separator.focus] if separator.focus else []
        text = json.dumps([content, asked, model], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]
