# SPDX-License-Identifier: MIT
"""The class `spleeter.separator.Separator`, run by Stemlane: change the import, keep the script.

from stemlane.compat.spleeter import Separator

The model must have been added: `stemlane models add spleeter:4stems`.
"""

from pathlib import Path

import numpy as np

from stemlane.arguments import shown
from stemlane.engine.separator import Separator as _Engine
from stemlane.errors import InputError
from stemlane.files.library import separate_file

_RATE_HZ = 44100  # of all of Spleeter's models; its `separate` takes no other


class Separator:
    """Spleeter's separator.

    Parameters
    ----------
    params_descriptor
        `spleeter:2stems`, `spleeter:4stems` or `spleeter:5stems`, each also with `-16kHz`; or a model of Stemlane.
    MWF
        Spleeter's Wiener filter. Here it belongs to the model: add it with `--wiener 1`.
    multiprocess
        Means nothing here.
    """

    def __init__(self, params_descriptor: str, MWF: bool = False, multiprocess: bool = True):  # noqa: ARG002, N803
        if not isinstance(params_descriptor, str):
            raise InputError(f"params_descriptor is {shown(params_descriptor)}, should be like 'spleeter:2stems'")
        family, colon, variant = params_descriptor.partition(":")
        name = f"{family}-{variant}".lower() if colon else params_descriptor
        self._separator = _Engine(name)
        if MWF and not getattr(self._separator.manifest.settings, "wiener_iterations", 0):
            command = f"stemlane models add {params_descriptor} --wiener 1 --force"
            raise InputError(f"MWF is part of the model: run '{command}'")

    def separate(self, waveform: np.ndarray, audio_descriptor: str | None = "") -> dict[str, np.ndarray]:  # noqa: ARG002
        """Separate a recording in memory.

        Parameters
        ----------
        waveform
            (samples, channels) floating point at 44.1 kHz, one or two channels; one comes back as two.
        audio_descriptor
            Means nothing here.

        Returns
        -------
        dict
            (samples, 2) float32 by the name of the instrument.
        """
        mixture = np.asarray(waveform)
        if mixture.ndim != 2 or mixture.shape[1] not in (1, 2):
            raise InputError(f"waveform has shape {mixture.shape}, should be (samples, channels)")
        mixture = np.broadcast_to(mixture.T, (2, len(mixture)))
        stems = self._separator.separate(mixture, _RATE_HZ)
        return {name: np.ascontiguousarray(stem.T) for name, stem in stems.items()}

    def separate_to_file(
        self,
        audio_descriptor: str | Path,
        destination: str | Path,
        audio_adapter: object = None,
        offset: float = 0.0,
        duration: float | None = None,
        codec: str = "wav",
        bitrate: str | int | None = "128k",
        filename_format: str = "{filename}/{instrument}.{codec}",
        synchronous: bool = True,
    ) -> None:
        """Separate a file into files.

        Parameters
        ----------
        audio_descriptor
            The recording.
        destination
            The folder the stems go to.
        audio_adapter, synchronous
            Mean nothing here.
        offset, duration
            The part in seconds. Spleeter stops after 600 s unless it is told otherwise; here None is all.
        codec
            `wav` (16 bit, as Spleeter's), `mp3`, `ogg`, `m4a` or `flac`.
        bitrate
            Such as `128k`, or 128000, for `mp3` and `m4a`; None is the usual one of the format.
        filename_format
            Names below the folder, of `{filename}`, `{instrument}`, `{codec}` and `{foldername}`.
        """
        del audio_adapter, synchronous
        name = str(getattr(codec, "value", codec))  # an enumeration in Spleeter
        lossy = name in ("mp3", "m4a")
        separate_file(
            audio_descriptor, destination, model=self._separator, start_seconds=offset, duration_seconds=duration,
            file_format=name, bits="16" if name == "wav" else None, name=filename_format,
            bitrate=_kbits(bitrate) if lossy and bitrate is not None else None, overwrite=True,  # as Spleeter does
        )  # fmt: skip

    def join(self, timeout: int = 200) -> None:
        """Nothing is left to wait for."""


def _kbits(bitrate: str | int) -> int:
    """A bit rate as FFmpeg writes it.

    >>> _kbits("128k"), _kbits("128000"), _kbits(128000)
    (128, 128, 128)
    """
    text = str(bitrate)
    number, unit = (text[:-1], 1) if text[-1:] in "kK" else (text, 1000)
    if not number.isdecimal():
        raise InputError(f"bitrate is {shown(bitrate)}, should be like 128k")
    return int(number) // unit
