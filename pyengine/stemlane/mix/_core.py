# SPDX-License-Identifier: MIT
"""The C++ streaming core through cffi.

Its declarations are read from `core_api.h`; its failures are raised in one place.
"""

import functools
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stemlane.contract import HIGHEST_RATE, LOWEST_RATE, STEM_ORDER
from stemlane.errors import CoreError
from stemlane.manifests.model import Manifest
from stemlane.package_folder import CHECKOUT, CORE_LIBRARY, PACKAGE, built

if TYPE_CHECKING:
    import cffi

_LIBRARY_NAME = CORE_LIBRARY.get(sys.platform, CORE_LIBRARY["linux"])


def library_path() -> Path:
    """The core library: named by STEMLANE_CORE, beside this file, or in a checkout's build folder.

    Raises
    ------
    CoreError
        If it is nowhere.
    """
    named = os.environ.get("STEMLANE_CORE")
    if named:
        if not Path(named).is_file():
            raise CoreError(f"STEMLANE_CORE names {named}, which is not a file")
        return Path(named)
    for path in (PACKAGE / _LIBRARY_NAME, *built(_LIBRARY_NAME)):
        if path.is_file():
            return path
    raise CoreError(
        f"{PACKAGE / _LIBRARY_NAME} is missing; install the stemlane package again, "
        "or name the library in STEMLANE_CORE"
    )


def header_path() -> Path:
    """The header with the declarations, beside the package or in a checkout."""
    installed = PACKAGE / "core_api.h"
    return installed if installed.is_file() else CHECKOUT / "cpp" / "api" / "core_api.h"


@functools.cache
def load() -> "tuple[cffi.FFI, Any]":
    """The cffi instance and the loaded library."""
    import cffi

    path = library_path()
    ffi = cffi.FFI()
    try:
        header = header_path().read_text(encoding="utf-8")
        ffi.cdef(header.split("/* cffi begin */")[1].split("/* cffi end */")[0])
        return ffi, ffi.dlopen(str(path))
    except (OSError, IndexError, cffi.CDefError) as error:
        raise CoreError(f"{path} cannot be loaded: {error}; install the stemlane package again") from None


class CoreStream:
    """A StemStream whose stems this process provides: `push` a block, `put_stems` what became known, `pull` the mix.

    Parameters
    ----------
    manifest
        The model the stems come from; its numbers decide the latency.
    sample_rate
        In Hz.
    num_channels
        1 or 2.
    max_block_samples
        Longest block.

    Attributes
    ----------
    latency_samples
        Delay from what is pushed to what is pulled.
    """

    def __init__(self, manifest: Manifest, sample_rate: float, num_channels: int, max_block_samples: int):
        self._ffi, self._library = load()
        if LOWEST_RATE <= sample_rate <= HIGHEST_RATE:  # the core refuses others
            manifest = manifest.at_rate(sample_rate)
        separated = [STEM_ORDER.index(stem) for stem in manifest.separated_stems]
        model = self._ffi.new(
            "stemlane_model *",
            {
                "model_rate": manifest.sample_rate,
                "stride_samples": manifest.stride_samples,
                "delay_samples": manifest.delay_samples,
                "compute_allowance_samples": manifest.compute_allowance_samples,
                "num_stems": len(separated),
                "stems": separated,
                "residual": STEM_ORDER.index(manifest.residual),
            },
        )
        stream = self._library.stemlane_stream_new(model, sample_rate, num_channels, max_block_samples)
        if stream == self._ffi.NULL:
            raise self._error()
        self._stream = self._ffi.gc(stream, self._library.stemlane_stream_free)
        self._num_channels = num_channels
        self._num_stems = len(separated)
        self.latency_samples = self._library.stemlane_stream_latency(self._stream)

    def push(self, mixture: np.ndarray, gains: np.ndarray) -> None:
        """Hand in (channels, samples) of the mixture and the linear gains (6,), by `STEM_ORDER`, that belong to it."""
        if mixture.shape[0] != self._num_channels or gains.shape != (len(STEM_ORDER),):
            raise CoreError(
                f"push: shapes {mixture.shape} and {gains.shape}, should be ({self._num_channels}, samples) and (6,)"
            )
        self._check(
            self._library.stemlane_stream_push(
                self._stream, self._floats(mixture), mixture.shape[1], self._floats(gains)
            )
        )

    def put_stems(self, stems: np.ndarray) -> None:
        """Append (separated stems, channels, samples) to the stems put so far."""
        if stems.shape[:2] != (self._num_stems, self._num_channels):
            raise CoreError(
                f"put_stems: shape {stems.shape}, should be ({self._num_stems}, {self._num_channels}, samples)"
            )
        self._check(self._library.stemlane_stream_put_stems(self._stream, self._floats(stems), stems.shape[2]))

    def pull(self, num_samples: int, *, complete: bool = True) -> np.ndarray:
        """The mix, (channels, num_samples), of as many samples as the last `push` took.

        Stems that have not been put although they can be heard are an error, or, unless `complete`, filled in by the
        mixture as in real time.
        """
        out = np.empty((self._num_channels, num_samples), np.float32)
        call = self._library.stemlane_stream_pull if complete else self._library.stemlane_stream_pull_now
        self._check(call(self._stream, self._ffi.from_buffer("float[]", out, require_writable=True), num_samples))
        return out

    def reset(self) -> None:
        """Start a new timeline."""
        self._check(self._library.stemlane_stream_reset(self._stream))

    def _floats(self, array: np.ndarray) -> "cffi.FFI.CData":
        return self._ffi.from_buffer("float[]", np.ascontiguousarray(array, np.float32))

    def _check(self, code: int) -> None:
        if code != 0:
            raise self._error()

    def _error(self) -> CoreError:
        return CoreError(self._ffi.string(self._library.stemlane_error()).decode())


def measure_process(sample_rate: float, num_channels: int, block_samples: int, num_blocks: int) -> float:
    """Nanoseconds per sample the audio thread spends in the core."""
    _, library = load()
    return float(library.stemlane_measure_process(sample_rate, num_channels, block_samples, num_blocks))
