# SPDX-License-Identifier: MIT
"""What the manifest of an `ensemble` states: which stems it takes from which other models, and how it blends them.

Standard library only. The members are found by name when the model is loaded.
"""

import re
from dataclasses import dataclass

from stemlane.contract import LONGEST_MODEL_NAME
from stemlane.manifests.table import Table

BLENDS = ("mean", "min", "max")
SPECTRUM_SAMPLES, SPECTRUM_HOP_SAMPLES = 2048, 512  # of the spectra that "min" and "max" compare
MOST_MEMBERS = 8
LOWEST_WEIGHT, HIGHEST_WEIGHT = 0.001, 1000.0
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_HIGHEST_SAMPLES = 1 << 24
_EXPECTED = 'a list like ["mean", ["mix", 2.0], ["scnet", 1.0]]'


@dataclass(frozen=True)
class Blend:
    """Where a stem comes from.

    Attributes
    ----------
    how
        "mean" of the members' stems, weighted; "min" or "max": of each bin of their spectra the one of the lowest or
        highest magnitude.
    members
        Names of models and their weights, which "min" and "max" do not look at.
    """

    how: str
    members: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class EnsembleSettings:
    """Numbers of an `ensemble`: the stride and delay of its members together, and a blend for each separated stem."""

    stride_samples: int
    delay_samples: int
    blends: tuple[tuple[str, Blend], ...]

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the models it takes stems from, each once."""
        return tuple(dict.fromkeys(name for _, blend in self.blends for name, _ in blend.members))

    @property
    def spectrum_delay_samples(self) -> int:
        """Samples by which comparing spectra delays all stems."""
        return SPECTRUM_SAMPLES if any(blend.how != "mean" for _, blend in self.blends) else 0


def read_ensemble(top: Table) -> EnsembleSettings:
    """Read [ensemble] of a manifest."""
    table, residual = top.table("ensemble"), top.text("residual")
    stems = [stem for stem in top.array("stems", 'a list like ["vocals", "other"]') if stem != residual]
    if residual in table:
        table.fail(residual, "is the residual: what the other stems leave of the mixture")
    settings = EnsembleSettings(
        stride_samples=table.integer("stride_samples", 1, _HIGHEST_SAMPLES),
        delay_samples=table.integer("delay_samples", 0, _HIGHEST_SAMPLES),
        blends=tuple((stem, _read_blend(table, stem)) for stem in stems))  # fmt: skip
    if (name := top.text("name")) in settings.members:
        table.fail("members", f"hold {name!r}, the model itself: choose another name for it")
    if len(settings.members) > MOST_MEMBERS:
        table.fail("members", f"are {len(settings.members)}, should be at most {MOST_MEMBERS}")
    return settings


def _read_blend(table: Table, stem: str) -> Blend:
    how, *members = table.array(stem, _EXPECTED)
    if how not in BLENDS:
        table.fail(stem, f"begins with {how!r}, should begin with one of: {', '.join(BLENDS)}")
    found = []
    for member in members:
        if not isinstance(member, list) or len(member) != 2 or not isinstance(member[0], str):
            table.fail(stem, f"holds {member!r}, should be {_EXPECTED}")
        name, weight = member
        if not _NAME.fullmatch(name) or len(name) > LONGEST_MODEL_NAME:
            table.fail(stem, f"names {name!r}, which is not a model name")
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            table.fail(stem, f"gives {name} the weight {weight!r}, should be a number")
        if not LOWEST_WEIGHT <= weight <= HIGHEST_WEIGHT:
            table.fail(stem, f"gives {name} the weight {weight:g}, should be {LOWEST_WEIGHT:g} to {HIGHEST_WEIGHT:g}")
        found.append((name, float(weight)))
    if len({name for name, _ in found}) != len(found) or len(found) < (1 if how == "mean" else 2):
        least = "one or more models" if how == "mean" else "two or more models"
        table.fail(
            stem, f"is {how} of {', '.join(name for name, _ in found) or 'nothing'}, should be {least}, each once"
        )
    return Blend(how, tuple(found))
