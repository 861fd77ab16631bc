# SPDX-License-Identifier: MIT
"""Makes a model of other models: which stem comes from which, or is blended of several; side by side or in a chain."""

from collections.abc import Mapping, Sequence

from stemlane.catalog.convert.manifest_text import Description, manifest_text
from stemlane.catalog.install import Report, add_manifest
from stemlane.catalog.licences import licence_of
from stemlane.contract import STEM_ORDER
from stemlane.engine.frontends.ensemble import check_members, combined_numbers, fingerprint
from stemlane.errors import ModelError
from stemlane.manifests.ensemble import Blend, EnsembleSettings, read_ensemble
from stemlane.manifests.model import Manifest
from stemlane.manifests.registry import find_model
from stemlane.manifests.table import Table

_MOST_ALLOWANCE_SAMPLES = 1 << 20


def combine(
    name: str, blends: Mapping[str, Blend], *, stages: Sequence[Sequence[str]] = (), residual: str = "other",
    force: bool = False, report: Report = lambda stage, done, total: None,
) -> Manifest:  # fmt: skip
    """Make a model of models that are installed, which must stay so.

    Parameters
    ----------
    name
        What it is called.
    blends
        Where each stem comes from, but the residual.
    stages
        A chain: these stems in the order in which they are taken out of the mixture. The models of a stage hear what
        the stages before it have left. One stage of all if that is empty.
    residual
        The stem that gets what the others leave of the mixture, so that all sum to it.
    force
        Replace a model of that name.
    report
        Called with a stage's name, what is done of it and its total.

    Raises
    ------
    ModelError
        If a model is not there, has that name itself, has not the stem that is taken from it, or does not fit the
        others. Nothing has changed then.
    """
    named = {
        stem: Blend(blend.how, tuple((find_model(member).name, weight) for member, weight in blend.members))
        for stem, blend in blends.items()
    }
    unknown = [stem for stem in (*named, residual) if stem not in STEM_ORDER]
    if unknown or not named:
        raise ModelError(f"stem {(unknown or ['none'])[0]!r}: should be one of: {', '.join(STEM_ORDER)}")
    if residual in named:
        raise ModelError(f"{residual} is what the other stems leave of the mixture: take none from a model, or name "
                         "another residual")  # fmt: skip
    stems = [stem for stem in STEM_ORDER if stem in named] + [residual]
    lists: dict[str, object] = {stem: [named[stem].how, *map(list, named[stem].members)] for stem in stems[:-1]}
    if len(stages) > 1:
        lists["stages"] = [list(stage) for stage in stages]
    settings = _checked(name, stems, lists)
    rate = find_model(settings.members[0]).sample_rate
    members = check_members(name, settings, rate)
    stride, delay = combined_numbers(settings, members)
    running = [members[member] for stage in settings.stages for member in settings.members_of(stage)]
    allowance = sum(member.compute_allowance_samples for member in running)  # they compute one after the other
    names = ", ".join(settings.members)
    description = Description(
        name, f"{name}, of {names}"[:200], fingerprint(settings, members),
        "; ".join(f"{member.name}: {licence_of(member).text}" for member in members.values()), f"combined of {names}",
        "that of its members")  # fmt: skip
    text = manifest_text(
        description, kind="ensemble", stems=stems, residual=residual, sample_rate=round(rate),
        allowance_samples=min(allowance, _MOST_ALLOWANCE_SAMPLES),
        settings={"stride_samples": stride, "delay_samples": delay, **lists}, tensors={}, files={})  # fmt: skip
    return add_manifest(name, text, force=force, report=report)


def read_blend(how: str, text: str) -> tuple[str, Blend]:
    """A stem and its blend, from `STEM=MODEL[:WEIGHT],MODEL[:WEIGHT]…`.

    >>> read_blend("mean", "vocals=mix:2,live")
    ('vocals', Blend(how='mean', members=(('mix', 2.0), ('live', 1.0))))
    """
    stem, equals, listed = text.partition("=")
    members = []
    for part in listed.split(","):
        name, colon, weight = part.strip().partition(":")
        try:
            members.append((name, float(weight) if colon else 1.0))
        except ValueError:
            raise ModelError(f"--{how} {text!r}: the weight {weight!r} is not a number") from None
    if not equals or not all(name for name, _ in members):
        raise ModelError(f"--{how} is {text!r}, should be STEM=MODEL or STEM=MODEL:WEIGHT,MODEL:WEIGHT")
    return stem.strip(), Blend(how, tuple(members))


def _checked(name: str, stems: list[str], lists: Mapping[str, object]) -> EnsembleSettings:
    """What the manifest will say, checked as if it came from elsewhere; the numbers are not known yet."""
    table = {"stride_samples": 1, "delay_samples": 0, **lists}
    return read_ensemble(Table({"name": name, "stems": stems, "residual": stems[-1], "ensemble": table}, name))
