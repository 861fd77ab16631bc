# SPDX-License-Identifier: MIT
"""Separates one recording into a stem file: mixture and four stems side by side, in bounded memory."""

import contextlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np

from stemlane.audio_checks import rechunk
from stemlane.engine.separator import Separator
from stemlane.errors import InputError
from stemlane.files.addresses import Address, Place
from stemlane.files.ahead import Ahead
from stemlane.files.encoding import Encoding
from stemlane.files.reading import BLOCK_SAMPLES, AudioInput
from stemlane.files.request import Request
from stemlane.files.staging import cannot_write
from stemlane.files.stem_files import STEMS, part_of
from stemlane.files.waveform import Waveform
from stemlane.files.writing import AudioOutput, problems

_MOST_PEAK = 1.0 - 2.0**-15  # of rescaled stems: full scale of 16 bits
_FLOAT = Encoding("wav")


class StemFileOutput:
    """A stem file being written; `with` it, blocks (5, channels, samples) of mixture and stems go in.

    Attributes
    ----------
    peak
        Largest absolute sample so far.
    waveform
        The mixture's outline so far: what players play.
    """

    def __init__(self, path: Path, final: Place, encoding: Encoding, source: AudioInput, tags: dict[str, str]):
        from stemlane.files.stem_file_writing import StemFileWriter

        self._path, self._final, self.peak, self.waveform = path, final, 0.0, Waveform()
        with self._problems():
            path.open("xb").close()
            self._writer = StemFileWriter(path, encoding, source.sample_rate, tags, source.cover)

    @contextlib.contextmanager
    def _problems(self) -> Iterator[None]:
        try:
            yield
        except InputError:
            raise
        except problems() as error:
            folder = self._path.parent if isinstance(self._final, Address) else Path(self._final).parent
            raise cannot_write(self._final, folder, error) from None

    def __enter__(self) -> "StemFileOutput":
        return self

    def write(self, block: np.ndarray) -> None:
        """Append a block; one channel becomes two, because the format's streams are stereo."""
        if block.shape[2]:
            self.peak = max(self.peak, float(np.abs(block).max()))
            self.waveform.add(block[0])
        with self._problems():
            self._writer.write(np.broadcast_to(block, (block.shape[0], 2, block.shape[2])))

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if error_type is None:
            with self._problems():
                self._writer.close()
        else:
            with contextlib.suppress(*problems()):  # the error that ends the work matters more
                self._writer.close()


def write_stem_file(
    source: AudioInput, separator: Separator, request: Request, staged: Path, final: Place, tags: dict[str, str],
    progress: Callable[[int, int], None],
) -> tuple[int, list[str], Waveform]:  # fmt: skip
    """Separate a recording into the staged file; returns the number of samples, warnings and the mixture's outline."""
    num_samples = 0

    def mixed() -> Generator[np.ndarray, None, None]:
        nonlocal num_samples
        with contextlib.closing(_mixture_and_parts(source, separator, request)) as blocks:
            for block in blocks:
                yield np.clip(block, -1, 1) if request.clip == "clamp" else block
                num_samples += block.shape[2]
                progress(block.shape[2], source.num_samples)

    if request.clip != "rescale":
        with (
            StemFileOutput(staged, final, request.encoding, source, tags) as output,
            contextlib.closing(mixed()) as blocks,
        ):
            for block in blocks:
                output.write(block)
        clipped = f"{final}: clipped, its peak was {output.peak:.2f}; --clip rescale makes all of it softer"
        return num_samples, [clipped] if output.peak > 1 else [], output.waveform
    loud = staged.with_name(staged.name + ".float")
    num_channels = source.num_channels
    with contextlib.ExitStack() as stack:
        places = [loud.with_name(f"{loud.name}{index}") for index in range(1 + len(STEMS))]
        files = [
            stack.enter_context(
                AudioOutput(place, source.sample_rate, num_channels, source.num_samples, encoding=_FLOAT, shown=final)
            )
            for place in places
        ]
        for block in stack.enter_context(contextlib.closing(mixed())):
            for file, samples in zip(files, block, strict=True):
                file.write(samples)
    peak = max(file.peak for file in files)
    factor = _MOST_PEAK / peak if peak > _MOST_PEAK else 1.0
    with contextlib.ExitStack() as stack:
        inputs = [stack.enter_context(AudioInput(place)) for place in places]
        with StemFileOutput(staged, final, request.encoding, source, tags) as output:
            for pieces in zip(*inputs, strict=True):
                output.write(np.stack(pieces) * np.float32(factor))
    for place in places:
        place.unlink()
    softer = f"{source.shown}: all in its stem file is {-20 * np.log10(factor):.2f} dB softer, the peak was {peak:.2f}"
    return num_samples, [softer] if factor != 1.0 else [], output.waveform


def _mixture_and_parts(source: AudioInput, separator: Separator, request: Request) -> Generator[np.ndarray, None, None]:
    """Blocks (5, channels, samples): the recording as it is read, and its stems, those that have no stream added up."""
    parts = [part_of(stem) for stem in separator.manifest.stems]
    stream = source.sample_rate, source.num_channels
    with (
        AudioInput(
            source.path, start_seconds=request.start_seconds, duration_seconds=request.duration_seconds
        ) as recording,
        Ahead(source) as ahead,
        Ahead(separator.separate_blocks(ahead, *stream)) as separated,
    ):
        mixture = rechunk(recording, BLOCK_SAMPLES)
        for samples, piece in zip(mixture, rechunk(separated, BLOCK_SAMPLES), strict=True):
            block = np.zeros((1 + len(STEMS), *samples.shape), np.float32)
            block[0] = samples
            for part, stem in zip(parts, piece, strict=True):
                block[1 + STEMS.index(part)] += stem
            yield block
