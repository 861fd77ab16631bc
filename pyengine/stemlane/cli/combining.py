# SPDX-License-Identifier: MIT
"""The command `stemlane models combine`: ensembles and chains."""

import argparse
from typing import TYPE_CHECKING, Any

from stemlane.cli.output import say
from stemlane.cli.parser import Group, add_command, given

if TYPE_CHECKING:
    from stemlane.manifests.ensemble import Blend

_EXAMPLES = """
  stemlane models combine best --mean vocals=mix:2,scnet --mean drums=scnet --min bass=mix,scnet
  stemlane models combine chain --mean vocals=kim --then --mean drums=mix --mean bass=mix
"""


def add(models: Group) -> None:
    """Add the command to the group `models`."""
    combining = add_command(
        models, "combine", _run, "Make a model of others: stems of one each, or blended of several.", _EXAMPLES
    )
    combining.add_argument("name", type=given, metavar="NAME", help="name of the new model")
    for how, text in (
        ("mean", "take a stem from a model (drums=scnet), or the weighted mean of several (vocals=mix:2,scnet)"),
        ("min", "for a stem, take the lowest magnitude among several models in each bin of the spectrum"),
        ("max", "the same with the highest"),
    ):
        combining.add_argument(
            f"--{how}", action=_InOrder, dest="blends", type=given, metavar="STEM=MODELS", help=text
        )  # fmt: skip
    combining.add_argument(
        "--then", action=_InOrder, dest="blends", nargs=0,
        help="a chain: what is named after this hears the mixture without the stems that are named before it",
    )  # fmt: skip
    combining.add_argument(
        "--residual", default="other", metavar="STEM",
        help="the stem that gets what the others leave of the mixture (default: %(default)s)",
    )  # fmt: skip
    combining.add_argument("--force", action="store_true", help="replace a model of the same name")


class _InOrder(argparse.Action):
    """Options whose order counts: each adds its name and what it is given to one list."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        del parser, option
        so_far = getattr(namespace, self.dest) or []
        setattr(namespace, self.dest, [*so_far, (self.option_strings[0].lstrip("-"), values or "")])


def _run(options: argparse.Namespace) -> int:
    from stemlane.catalog.ensembles import combine, read_blend
    from stemlane.catalog.explain import latency_text
    from stemlane.catalog.licences import licence_rows
    from stemlane.cli.progress import StageProgress

    stages: list[list[tuple[str, Blend]]] = [[]]
    for how, text in options.blends or ():
        if how == "then":
            stages.append([])
        else:
            stages[-1].append(read_blend(how, text))
    if not all(stages):
        options.refuse("say where stems come from: --mean STEM=MODEL, --min or --max" + ", on both sides of --then"
                       * (len(stages) > 1))  # fmt: skip
    read = [entry for stage in stages for entry in stage]
    if len(blends := dict(read)) < len(read):
        options.refuse("a stem is given twice")
    order = [[stem for stem, _ in stage] for stage in stages]
    with StageProgress() as report:
        made = combine(
            options.name, blends, stages=order, residual=options.residual, force=options.force, report=report
        )  # fmt: skip
    for label, text in licence_rows(made).items():
        say(f"{label:<14} {text}")
    say(f"{'made':<14} {made.name}: {made.title}, {latency_text(made)}")
    return 0
