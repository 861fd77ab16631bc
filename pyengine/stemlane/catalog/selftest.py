# SPDX-License-Identifier: MIT
"""A known output for every model, stored in the manifest when it is added: see `stemlane.engine.known_output`.

`stemlane models verify` computes it again, so that a network that loads but computes something else is found. Both are
done on the CPU, whatever provider the user asks for.
"""

from collections.abc import Mapping, Sequence

from stemlane.engine import known_output, providers
from stemlane.errors import ModelError
from stemlane.manifests.model import MANIFEST_NAME, Manifest


def measure(manifest: Manifest) -> dict[str, tuple[float, ...]]:
    """The known output of a model, on the CPU."""
    with providers.use(providers.CPU):
        return known_output.measure(manifest)


def check(manifest: Manifest) -> bool:
    """Compare with the numbers in the manifest; False if it has none.

    Raises
    ------
    ModelError
        If the model computes something else than when it was added.
    """
    if not manifest.self_test:
        return False
    if problem := known_output.difference(measure(manifest), manifest.self_test):
        raise ModelError(
            f"model {manifest.name!r} gives something else than when it was added: {problem}; "
            "install the model again, or report this machine"
        )
    return True


def store(manifest: Manifest, known: Mapping[str, Sequence[float]]) -> None:
    """Add what `measure` gave to a manifest that has no such numbers."""
    lines = [f"{stem} = [{', '.join(f'{value:.7f}' for value in row)}]" for stem, row in known.items()]
    with (manifest.folder / MANIFEST_NAME).open("a", encoding="utf-8") as file:
        file.write("\n[self_test]\n" + "\n".join(lines) + "\n")
