# SPDX-License-Identifier: MIT
"""What the manifest of an `ensemble` states: which stems it takes from which other models, and how it blends them.

Some may hear the mixture without stems that others have taken out of it.

Standard library only. The members are found by name when the model is loaded.
"""

import re
from collections.abc import Iterable
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
_STAGES_EXPECTED = 'a list like [["vocals"], ["drums", "bass"]]'


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
    """Numbers of an `ensemble`.

    Attributes
    ----------
    stride_samples, delay_samples
        Of its members together.
    blends
        Where each separated stem comes from.
    stages
        The separated stems, each in one stage. The members of the first hear the mixture, those of every other one
        what the stages before it have left of that.
    """

    stride_samples: int
    delay_samples: int
    blends: tuple[tuple[str, Blend], ...]
    stages: tuple[tuple[str, ...], ...]

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the models it takes stems from, each once."""
        return _names(blend for _, blend in self.blends)

    def blends_of(self, stage: tuple[str, ...]) -> dict[str, Blend]:
        """Where the stems of a stage come from."""
        return {stem: blend for stem, blend in self.blends if stem in stage}

    def members_of(self, stage: tuple[str, ...]) -> tuple[str, ...]:
        """Names of the models that compute in a stage, each once; one may be in several, and hear different things."""
        return _names(self.blends_of(stage).values())

    def spectrum_delay_samples(self, stage: tuple[str, ...]) -> int:
        """Samples by which comparing spectra delays the stems of a stage."""
        return SPECTRUM_SAMPLES if any(blend.how != "mean" for blend in self.blends_of(stage).values()) else 0


def _names(blends: Iterable[Blend]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for blend in blends for name, _ in blend.members))


def read_ensemble(top: Table) -> EnsembleSettings:
    """Read [ensemble] of a manifest."""
    table, residual = top.table("ensemble"), top.text("residual")
    stems = [stem for stem in top.array("stems", 'a list like ["vocals", "other"]') if stem != residual]
    if residual in table:
        table.fail(residual, "is the residual: what the other stems leave of the mixture")
    settings = EnsembleSettings(
        stride_samples=table.integer("stride_samples", 1, _HIGHEST_SAMPLES),
        delay_samples=table.integer("delay_samples", 0, _HIGHEST_SAMPLES),
        blends=tuple((stem, _read_blend(table, stem)) for stem in stems),
        stages=_read_stages(table, stems))  # fmt: skip
    if (name := top.text("name")) in settings.members:
        table.fail("members", f"hold {name!r}, the model itself: choose another name for it")
    num_members = sum(len(settings.members_of(stage)) for stage in settings.stages)
    if num_members > MOST_MEMBERS:
        table.fail("members", f"are {num_members}, should be at most {MOST_MEMBERS}")
    return settings


def _read_stages(table: Table, stems: list[str]) -> tuple[tuple[str, ...], ...]:
    if "stages" not in table:
        return (tuple(stems),)
    stages = table.array("stages", _STAGES_EXPECTED)
    if not all(isinstance(stage, list) and stage and all(isinstance(stem, str) for stem in stage) for stage in stages):
        table.fail("stages", f"is {stages!r}, should be {_STAGES_EXPECTED}")
    if sorted(stem for stage in stages for stem in stage) != sorted(stems):
        table.fail("stages", f"is {stages!r}, should hold each once of: {', '.join(stems)}")
    return tuple(map(tuple, stages))


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
