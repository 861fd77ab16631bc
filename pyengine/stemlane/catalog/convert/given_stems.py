# SPDX-License-Identifier: MIT
"""Which stems a network gives: from its trainer's settings, or what the user says, to those there are faders for."""

from dataclasses import dataclass

from stemlane.catalog.convert.mdx.table import find_target
from stemlane.catalog.convert.readers.training_config import Config
from stemlane.contract import STEM_ORDER
from stemlane.errors import ModelError

RESIDUAL = "other"
_PAIR = {"vocals", "instrumental"}  # of which the second is the first one's residual


@dataclass(frozen=True)
class Given:
    """What a network gives: the stems' names, their numbers among the network's outputs, the residual, a note."""

    stems: list[str]
    outputs: list[int]
    residual: str = RESIDUAL
    note: str = ""


def what_it_gives(num_stems: int, settings: Config, named: str | None, where: str) -> Given:
    """The stems of a network, from its trainer's settings, or for one stem from what the user says.

    Raises
    ------
    ModelError
        If these are not stems that there are faders for.
    """
    training = settings.table("training")
    instruments = [name.lower() for name in training.texts("instruments", ())]
    if num_stems == 1:
        name = named or training.text("target_instrument") or (instruments[0] if instruments else "")
        target = find_target(name)
        if target is None:
            raise ModelError(f"{where}: gives one stem, {name!a}: say which it is, --stem NAME")
        return Given([target.stem], [0], target.residual, target.meaning)
    if named is not None:
        raise ModelError(f"--stem means nothing for {num_stems} stems; leave it out")
    names = [RESIDUAL if set(instruments) == _PAIR and name == "instrumental" else name for name in instruments]
    unknown = [name for name in names if name not in STEM_ORDER]
    if unknown or len(names) != num_stems or len(set(names)) != num_stems or RESIDUAL not in names:
        raise ModelError(
            f"{where}: gives {num_stems} stems, its settings name {ascii(', '.join(instruments))[1:-1]}; should be "
            f"{RESIDUAL!r} and some of: {', '.join(STEM_ORDER)}"
        )
    stems = [stem for stem in STEM_ORDER if stem in names and stem != RESIDUAL]
    return Given(stems, [names.index(stem) for stem in stems])
