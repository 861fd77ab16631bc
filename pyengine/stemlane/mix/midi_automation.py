# SPDX-License-Identifier: MIT
"""Turns the controllers of a MIDI file, which a DAW exports, into gains."""

import io
from typing import Any

from stemlane.contract import HIGHEST_DB, SILENT_DB
from stemlane.errors import InputError, one_line

_HIGHEST_VALUE = 127
_STEPS_PER_DB = 10  # of the plugin's faders (plugin/processor/StemParameters.h)


def gain_of_value(value: int) -> float:
    """Gain in dB of a controller's value: what the plugin's fader makes of it when a host maps the controller to it.

    The range of the fader, -60 to +12 dB, is 127 steps, and the fader moves in tenths of a dB. 0 is silence, 106 is
    0.1 dB, 127 is +12 dB.

    >>> gain_of_value(0), gain_of_value(64), gain_of_value(106), gain_of_value(127)
    (-60.0, -23.7, 0.1, 12.0)
    """
    return round((SILENT_DB + (HIGHEST_DB - SILENT_DB) * value / _HIGHEST_VALUE) * _STEPS_PER_DB) / _STEPS_PER_DB


def midi_points(data: bytes, faders: dict[int, str]) -> list[dict[str, Any]]:
    """Breakpoints of a standard MIDI file of type 0 or 1: a value of a controller holds until the next.

    Parameters
    ----------
    data
        The file. Its tempo changes are followed; what else it holds is passed over, as are the channels.
    faders
        Names of the faders by number of controller.

    Raises
    ------
    InputError
        If it is no such file, counts time in frames, or moves none of the faders.
    """
    import mido

    try:
        file = mido.MidiFile(file=io.BytesIO(data))
        if file.ticks_per_beat <= 0:  # frames of film a second, which mido does not know
            raise InputError("counts time in frames, should count in beats: export it otherwise")
        points, seconds = [], 0.0
        for message in file:  # of all tracks, with the seconds since the one before
            seconds += message.time
            if message.type == "control_change" and message.control in faders:
                gain_db = gain_of_value(message.value)
                points.append(
                    {"time": seconds, "stem": faders[message.control], "gain_db": gain_db, "shape": "stepped"}
                )
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - what mido raises of damaged files is anything
        raise InputError(f"cannot be read as a MIDI file ({one_line(error)})") from None
    if not points:
        wanted = ", ".join(f"{number} for {fader}" for number, fader in faders.items())
        raise InputError(f"moves none of the controllers {wanted}")
    return points
