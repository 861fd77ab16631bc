# SPDX-License-Identifier: MIT
"""The faders that gains and automation name: the stems and the output."""

from stemlane.contract import STEM_ORDER

OUTPUT = "output"  # the fader after the sum
# Controllers 20 to 31 are free in MIDI 1.0; volume (7) is not taken, because every DAW writes one at the start.
CONTROLLERS = {fader: 20 + index for index, fader in enumerate((*STEM_ORDER, OUTPUT))}
