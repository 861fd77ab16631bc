# SPDX-License-Identifier: MIT
"""Makes the panel's audio from the shared recordings and Debian packages, and checks it against the committed hashes.

Run as `python -m models.training.panel.build`; `--accept` writes the hashes of what this machine makes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.training.data import bands
from models.training.data.batches import master_gain
from models.training.data.instrumentals import GUITAR_PACKAGE
from models.training.data.material import read_stereo, vocal_chain
from models.training.data.packages import unpacked
from models.training.data.pool import SCALE, STEMS, audio_folder, cache_folder, code_hash, print_each
from models.training.network.spectral import SAMPLE_RATE

from .evaluate import bounds_db
from .recipe import PANEL, SECONDS, Excerpt

HASHES = Path(__file__).with_name("hashes.json")
NUM_SAMPLES = int(SECONDS * SAMPLE_RATE)


class PanelError(RuntimeError):
    """The panel is missing or is not the committed one."""


@dataclass(frozen=True)
class Item:
    """An excerpt with its audio.

    Attributes
    ----------
    stems : ndarray (4, 2, samples), float32; what is not known lies together in the last one
    guitar : ndarray (2, samples) or None, the part of the mixture that a guitar plays
    known : tuple of bool, per stem
    base_db, ideal_db : lists of float, per stem; see evaluate.bounds_db
    """

    excerpt: Excerpt
    stems: np.ndarray
    guitar: np.ndarray | None
    known: tuple[bool, ...]
    base_db: list[float]
    ideal_db: list[float]


def folder() -> Path:
    """Where this panel's audio lies: its name holds a hash of all code that makes it."""
    root = Path(__file__).parents[1]
    sources = [root / "panel" / name for name in ("recipe.py", "build.py", "evaluate.py")]
    sources += [
        root / "data" / f"{name}.py" for name in ("bands", "guitars", "kits", "scores", "instruments", "withdrawn")
    ]
    return cache_folder() / "panel" / code_hash(sources)


def voice_track(excerpt: Excerpt) -> np.ndarray:
    """The excerpt's voice (2, samples): its recordings in turn with short pauses, through one channel strip."""
    rng = np.random.default_rng([21, excerpt.seed])
    root = audio_folder() / "vocals"
    files = sorted(
        path for path in root.rglob("*.ogg") if path.as_posix().startswith((root / excerpt.voice).as_posix())
    )
    if not files:
        raise PanelError(f"{excerpt.name}: no recordings of {excerpt.voice} in {root}")
    order = rng.permutation(len(files))
    track, position, turn = np.zeros((2, NUM_SAMPLES), np.float32), int(rng.uniform(0.2, 1.5) * SAMPLE_RATE), 0
    while position < NUM_SAMPLES:
        phrase = read_stereo(files[order[turn % len(files)]])
        phrase = phrase * np.float32(0.1 / (np.sqrt((phrase**2).mean()) + 1e-6))
        part = phrase[:, : NUM_SAMPLES - position]
        track[:, position : position + part.shape[1]] += part
        position, turn = position + part.shape[1] + int(rng.uniform(0.3, 1.2) * SAMPLE_RATE), turn + 1
    return vocal_chain(rng, gentle=True)(track, SAMPLE_RATE)


def loud_part(rng: np.random.Generator, *tracks: np.ndarray) -> list[np.ndarray]:
    """The same 20 s of all tracks (2, samples), at random among those of at least the median level."""
    length = min(track.shape[1] for track in tracks)
    power = (sum(track[:, :length] for track in tracks) ** 2).mean(0)
    starts = np.arange(0, max(1, length - NUM_SAMPLES), SAMPLE_RATE)
    levels = np.array([power[start : start + NUM_SAMPLES].mean() for start in starts])
    start = int(rng.choice(starts[levels >= np.median(levels)]))
    return [
        np.pad(part, ((0, 0), (0, NUM_SAMPLES - part.shape[1])))
        for part in (track[:, start : min(length, start + NUM_SAMPLES)] for track in tracks)
    ]


def _song_file(package: str, name: str) -> Path:
    found = sorted(unpacked(package).rglob(f"{name}.ogg"))
    if not found:
        raise PanelError(f"{package} holds no {name}.ogg")
    return found[0]


def _backing(excerpt: Excerpt, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray | None, tuple[bool, ...]]:
    """Stems without the voice, the guitar if there is one, and which stems are known."""
    stems = np.zeros((len(STEMS), 2, NUM_SAMPLES), np.float32)
    if excerpt.band:
        parts = bands.render_band(excerpt.seed, excerpt.band, SECONDS, bands.PANEL[excerpt.half])
        for index, stem in enumerate(STEMS[1:], 1):
            stems[index] = parts[stem]
        return stems, parts["guitar"] if parts["guitar"].any() else None, (True,) * 4
    if excerpt.song:
        [stems[-1]] = loud_part(rng, read_stereo(_song_file(*excerpt.song)))
        return stems, None, (True, False, False, False)
    song = next(
        path.parent for path in unpacked(GUITAR_PACKAGE).rglob("guitar.ogg") if path.parent.name == excerpt.guitar_song
    )
    guitar, rest = loud_part(rng, read_stereo(song / "guitar.ogg"), read_stereo(song / "song.ogg"))
    stems[-1] = guitar + rest
    return stems, guitar, (True, False, False, False)


def _treated(excerpt: Excerpt, rng: np.random.Generator, tracks: np.ndarray) -> np.ndarray:
    """Tracks (n, 2, samples), the first four the stems, after the excerpt's treatment, all linear or alike for all."""
    if excerpt.treatment in ("mono", "narrow"):
        middle = tracks.mean(1, keepdims=True)
        tracks = middle + (tracks - middle) * np.float32(0.0 if excerpt.treatment == "mono" else 0.25)
    if excerpt.treatment == "loud":
        for _ in range(2):
            tracks = tracks * master_gain(rng, tracks[:4].sum(0))
    level_db = {"loud": -11.0, "quiet": -45.0}.get(excerpt.treatment, float(rng.uniform(-24.0, -15.0)))
    mixture = tracks[:4].sum(0)
    gain = 10.0 ** (level_db / 20.0) / (np.sqrt((mixture**2).mean()) + 1e-9)
    return tracks * np.float32(min(gain, 1.0 / (np.abs(tracks).max() + 1e-9), 1.0 / (np.abs(mixture).max() + 1e-9)))


def make(excerpt: Excerpt) -> tuple[np.ndarray, bool, tuple[bool, ...]]:
    """Int16 tracks (4 or 5, 2, samples), whether the fifth is a guitar, and which stems are known."""
    rng = np.random.default_rng([22, excerpt.seed])
    stems, guitar, known = _backing(excerpt, rng)
    if excerpt.voice:
        voice = voice_track(excerpt)
        ratio = (stems.sum(0) ** 2).mean() / ((voice**2).mean() + 1e-9)
        stems[0] = voice * np.float32(np.sqrt(ratio) * 10.0 ** (excerpt.voice_db / 20.0))
    tracks = stems if guitar is None else np.concatenate([stems, guitar[None]])
    return np.round(_treated(excerpt, rng, tracks) * SCALE).astype(np.int16), guitar is not None, known


def _make_and_keep(number: int) -> str:
    excerpt, target = PANEL[number], folder() / f"{PANEL[number].name}.npz"
    if target.exists():
        return f"{excerpt.name}: there"
    tracks, has_guitar, known = make(excerpt)
    stems = tracks[:4].astype(np.float32) / SCALE
    base, ideal = bounds_db(stems) if all(known) else bounds_db(np.stack([stems[0], stems[1:].sum(0)]))
    digest = hashlib.sha256(tracks.tobytes()).hexdigest()
    part = target.with_suffix(".part.npz")
    np.savez(part, tracks=tracks, has_guitar=has_guitar, known=known, base=base, ideal=ideal, digest=digest)
    part.rename(target)
    return f"{excerpt.name}: {digest[:12]}"


def load(half: str) -> list[Item]:
    """The excerpts of half A or B.

    Raises
    ------
    PanelError
        If one is missing or differs from the committed hash.
    """
    hashes = json.loads(HASHES.read_text("utf-8")) if HASHES.exists() else {}
    items = []
    for excerpt in PANEL:
        if excerpt.half != half:
            continue
        path = folder() / f"{excerpt.name}.npz"
        if not path.exists():
            raise PanelError(f"the panel has no {path.name}; run python -m models.training.panel.build")
        with np.load(path) as content:
            if str(content["digest"]) != hashes.get(excerpt.name):
                raise PanelError(
                    f"{excerpt.name} is not the committed one: another version of a package or library made it"
                )
            tracks = content["tracks"].astype(np.float32) / SCALE
            items.append(
                Item(
                    excerpt,
                    tracks[:4],
                    tracks[4] if bool(content["has_guitar"]) else None,
                    tuple(bool(value) for value in content["known"]),
                    content["base"].tolist(),
                    content["ideal"].tolist(),
                )
            )
    return items


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--accept", action="store_true", help="write the hashes file")
    options = parser.parse_args(arguments)
    folder().mkdir(parents=True, exist_ok=True)
    print_each(_make_and_keep, range(len(PANEL)), options.processes)
    found = {excerpt.name: str(np.load(folder() / f"{excerpt.name}.npz")["digest"]) for excerpt in PANEL}
    if options.accept:
        HASHES.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    different = [name for name, digest in found.items() if json.loads(HASHES.read_text("utf-8")).get(name) != digest]
    print(f"{len(found)} excerpts, {len(different)} differ from the committed ones", *different)


if __name__ == "__main__":
    main()
