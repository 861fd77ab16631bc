# SPDX-License-Identifier: MIT
"""Native Instruments' stem files (.stem.mp4): a mixture and four stems in one file, as DJ programs play them.

Five stereo streams, the mixture first and the only one that is enabled, so that players play it; then drums, bass,
other, vocals. Their names and colours are JSON in the box `stem` of `moov/udta`. Described by the format's public
tools (stempeg, Mixxx's steminfoimporter.cpp): https://www.native-instruments.com/en/specials/stems/
"""

import json
import os
from pathlib import Path

from stemlane.contract import ACCOMPANIMENT
from stemlane.errors import InputError
from stemlane.files.mp4_boxes import find_box

ENDINGS = (".stem.mp4", ".stem.m4a")
STEMS = ("drums", "bass", "other", "vocals")  # in the order of the streams behind the mixture
BOX = (b"moov", b"udta", b"stem")
_MOST_JSON_BYTES = 1 << 20
# What others call the four.
_OTHER_NAMES = {
    "vocals": ("vocal", "vox", "voice", "acapella"),
    "drums": ("drum", "beats", "percussion"),
    "other": ("others", "synths", "synth", "melody", "instruments", "music", ACCOMPANIMENT),
}
_STEM_OF = {name: stem for stem, names in _OTHER_NAMES.items() for name in names} | {stem: stem for stem in STEMS}


def is_stem_file(path: str | Path) -> bool:
    """Whether a file is called like a stem file."""
    return os.fspath(path).lower().endswith(ENDINGS)


def part_of(stem: str) -> str:
    """Which of the four a model's stem goes to: guitar, piano and whatever else there is to `other`.

    >>> part_of("vocals"), part_of("guitar"), part_of("accompaniment")
    ('vocals', 'other', 'other')
    """
    return stem if stem in STEMS else "other"


def stream_names(path: str | Path) -> list[str]:
    """What the four stems of a stem file are called, in the order of its streams from the second on.

    Raises
    ------
    InputError
        If it is no stem file with four stems.
    """
    try:
        with Path(path).open("rb") as file:
            box = find_box(file, BOX)
            if box is None or box.end - box.content > _MOST_JSON_BYTES:
                raise InputError(f"{path}: is no stem file, it names no stems")
            file.seek(box.content)
            about = json.loads(file.read(box.end - box.content).rstrip(b"\0"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: is no stem file, what names its stems is damaged") from None
    stems = about.get("stems") if isinstance(about, dict) else None
    names = [stem.get("name") if isinstance(stem, dict) else None for stem in stems] if isinstance(stems, list) else []
    if len(names) != len(STEMS) or not all(isinstance(name, str) and name.strip() for name in names):
        raise InputError(f"{path}: is no stem file, it should name {len(STEMS)} stems")
    return [str(name).strip() for name in names]


def streams_by_stem(path: str | Path) -> dict[str, int]:
    """The audio streams of a stem file by the names of our stems.

    Raises
    ------
    InputError
        If it is none, or its stems are not drums, bass, other and vocals, by whatever common name.
    """
    names = stream_names(path)
    found = {_STEM_OF.get(name.lower(), ""): index for index, name in enumerate(names, 1)}
    if set(found) != set(STEMS):
        raise InputError(f"{path}: its stems are {', '.join(names)}; they should be {', '.join(STEMS)}")
    return found
