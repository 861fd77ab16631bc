# SPDX-License-Identifier: MIT
"""Turns the weights of Open-Unmix's four stems into Stemlane models: one network, one manifest for each window.

Getting them is `source`'s job.
"""

from collections.abc import Mapping
from pathlib import Path

from stemlane.catalog.convert.manifest_text import Description
from stemlane.catalog.convert.open_unmix.network import build_network, check_weights, network_ends
from stemlane.catalog.convert.places import Report
from stemlane.catalog.convert.readers.torch_weights import read_weights
from stemlane.catalog.convert.segment_models import SHORT_WINDOWS, Window, write_models
from stemlane.errors import ModelError

# The original hears whole recordings and filters blocks of 300 frames; it was trained on 6 s. Two such blocks with 7 s
# before and after, so that blocks begin where the original's do.
WINDOWS = (Window("", "", 1196, 600, 0, wiener_frames=300), *SHORT_WINDOWS)

# Of umxhq, whose window of 12 s takes 0.5 s on one core. umxl has twice as many and takes 1.7 s.
_USUAL_HIDDEN = 512


def convert(
    paths: Mapping[str, Path],
    description: Description,
    folder: Path,
    *,
    wiener_iterations: int = 1,
    report: Report = lambda stage, done, total: None,
) -> list[Path]:
    """Write the model folders `folder`/<name><window>.

    Parameters
    ----------
    paths
        A file of weights for every stem, in Stemlane's order, the residual last. The masks of all stems sum to one,
        so that the residual is what its own network says.
    wiener_iterations
        Of the multichannel Wiener filter; without any, the masks are the shares of the networks' magnitudes.
    folder
        An existing folder without these models. After an error it may hold incomplete ones.

    Returns
    -------
    list of Path
        The models' folders, that of the longest window first.

    Raises
    ------
    ModelError
        If a file is damaged, asks for code to be run, or is not Open-Unmix's.
    """
    weights = []
    for number, (stem, path) in enumerate(paths.items()):
        weights.append(read_weights(path))
        check_weights(weights[-1], str(path))
        if weights[-1]["fc1.weight"].shape != weights[0]["fc1.weight"].shape:
            raise ModelError(f"{path}: the network for {stem} has another size than the others")
        report("converting", number + 1, len(paths))
    filters = wiener_iterations > 0
    graph = build_network(weights, None if filters else len(paths) - 1)

    def save(place: Path) -> tuple[Path, Path]:
        given = ("magnitudes", len(paths)) if filters else ("masks", len(paths) - 1)
        return graph.save(place, "network", *network_ends(*given))

    num_hidden = weights[0]["fc1.weight"].shape[0]
    return write_models(
        save, folder, kind="open-unmix", stems=list(paths), windows=WINDOWS, description=description, extra={},
        wiener_iterations=wiener_iterations,
        allowance_scale=max(1, num_hidden / _USUAL_HIDDEN))  # fmt: skip
