# SPDX-License-Identifier: MIT
"""What is said of models before they are added is what they are afterwards."""

from fractions import Fraction

import numpy as np
import pytest
from stemlane.catalog.available import available_models, find_available
from stemlane.catalog.convert.open_unmix import network as open_unmix_network
from stemlane.catalog.convert.spleeter import network as spleeter_network
from stemlane.catalog.install import add_model
from stemlane.cli.main import main
from stemlane.manifests.model import load_manifest
from support import open_unmix_case, tiny_htdemucs
from support.spleeter_case import weight
from support.tiny_checkpoint import write_checkpoint
from support.torch_files import write_torch

AVAILABLE = {entry.source: entry for entry in available_models()}
PARAMETER_BYTES = 4


def seconds(manifests) -> tuple[float, ...]:
    return tuple(round(manifest.latency_samples / manifest.sample_rate, 1) for manifest in manifests)


def spleeter(tmp_path, source):
    shapes = spleeter_network.expected_shapes(int(source.partition(":")[2][0]))
    weights = {name: weight("tiny", name, shape) for name, shape in shapes.items()} | {"global_step": np.int64(3)}
    prefix = write_checkpoint(tmp_path / "weights" / "model", weights)
    (prefix.parent / "checkpoint").write_text('model_checkpoint_path: "model"\n', encoding="utf-8")
    return prefix.parent


@pytest.mark.usefixtures("no_models", "trials_here")
@pytest.mark.parametrize("source", [source for source in AVAILABLE if source.startswith("spleeter")])
def test_spleeters_latency_and_stems(tmp_path, monkeypatch, source):
    monkeypatch.setattr(spleeter_network, "FILTERS", (2, 3, 2, 3, 2, 4))  # small, which the latency does not know
    added = add_model(source, location=str(spleeter(tmp_path, source)))
    assert seconds(added) == AVAILABLE[source].latency_seconds
    assert added[0].name == AVAILABLE[source].model_name
    assert [stem.replace("accompaniment", "other") for stem in AVAILABLE[source].stems] == list(added[0].stems)


@pytest.mark.usefixtures("no_models", "trials_here")
@pytest.mark.parametrize("source, num_hidden", [("open-unmix:umxhq", 512), ("open-unmix:umxl", 1024)])
def test_open_unmixs_latency(tmp_path, monkeypatch, source, num_hidden):
    shapes = open_unmix_network.expected_shapes(8, 100)
    monkeypatch.setattr("stemlane.catalog.convert.open_unmix.models._USUAL_HIDDEN", 8 * 512 / num_hidden)
    for stem in open_unmix_case.STEMS:
        write_torch(tmp_path / f"{stem}.pth", {n: open_unmix_case.weight(stem, n, s) for n, s in shapes.items()})
    assert seconds(add_model(source, location=str(tmp_path))) == AVAILABLE[source].latency_seconds


@pytest.mark.parametrize("source, stems", [("htdemucs", ()), ("htdemucs_ft", ("vocals", "drums", "bass"))])
def test_htdemucs_latency(tmp_path, source, stems):
    folders = tiny_htdemucs.build(tmp_path, "full", segment=Fraction(39, 5), stems=stems)
    # The short window is a number of the published transform's frames: here they are of another.
    short = 128 * 1024  # delay and stride together are one segment
    short_samples = short + short * 3 // 4 * (3 if stems else 2) // 3
    whole = seconds([load_manifest(folders[0])])
    assert (*whole, round(short_samples / 44100, 1)) == AVAILABLE[source].latency_seconds


def test_sizes_are_those_of_the_published_networks():
    for number, source in ((2, "spleeter:2stems"), (4, "spleeter:4stems-16kHz"), (5, "spleeter:5stems")):
        shapes = spleeter_network.expected_shapes(number)
        assert AVAILABLE[source].megabytes == round(parameters(shapes) * PARAMETER_BYTES / 1e6)
    for source, num_hidden in (("open-unmix:umx", 512), ("open-unmix:umxl", 1024)):
        shapes = open_unmix_network.expected_shapes(num_hidden, 1487)  # up to 16 kHz
        assert AVAILABLE[source].megabytes == round(parameters(shapes) * 4 * PARAMETER_BYTES / 1e6)


def parameters(shapes) -> int:
    return sum(int(np.prod(shape)) for shape in shapes.values())


def test_the_list_says_it_all(tiny_models, capsys):
    assert main(["models", "list", "--available"]) == 0
    lines = capsys.readouterr().out.splitlines()
    others = [line.split()[0] for line in lines[2 * len(AVAILABLE) :]]  # come as files
    assert others == ["scnet", "roformer", "mdx23c", "mdx"]
    assert lines[2].startswith("spleeter:4stems") and "vocals, drums, bass, other; MIT (Deezer SA) (Henn" in lines[2]
    assert lines[3].strip() == (
        "157 MB, latency 15 s, with shorter windows 3.2 s or 1.7 s; "
        "6.6 / 5.9 / 5.1 / 4.2 dB SDR of vocals / drums / bass / other, MUSDB18 (JOSS 5(50), 2154)"
    )
    for entry, row, about in zip(AVAILABLE.values(), lines[::2], lines[1::2], strict=False):
        assert row.endswith(f"; {entry.licence.text} ({entry.licence.where})")
        assert f"{entry.megabytes} MB" in about and entry.quality in about


@pytest.mark.parametrize("command", ["separate x.wav -m", "models show", "models verify", "render x.wav -o y.wav -m"])
def test_a_name_that_is_not_here_says_how_to_add_it(tiny_models, capsys, command):
    for name, source in (("Spleeter-4stems", "spleeter:4stems"), ("umxhq", "open-unmix:umxhq"),
                         ("htdemucs-ft", "htdemucs_ft"), ("htdemucs-3s", "htdemucs")):  # fmt: skip
        assert main([*command.split(), name]) == 1
        assert (
            f"'{name}' is not here yet but can be added: run 'stemlane models add {source}'" in capsys.readouterr().err
        )
    for name in ("SCNet", "mdx"):
        assert main([*command.split(), name]) == 1
        assert f"run 'stemlane models add {name.lower()} --from FILE'" in capsys.readouterr().err
    assert main([*command.split(), "spleeter"]) == 1
    assert "one of these can be added: spleeter:2stems, spleeter:4stems," in capsys.readouterr().err
    assert main([*command.split(), "nonsense"]) == 1
    assert "no model called 'nonsense'" in capsys.readouterr().err
    assert find_available("...") == []
