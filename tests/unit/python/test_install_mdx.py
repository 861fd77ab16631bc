# SPDX-License-Identifier: MIT
"""Adding MDX-Net files: known ones by themselves, others with what the user says, and what is refused."""

import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from stemlane.catalog.convert.mdx import source as mdx_source
from stemlane.catalog.convert.mdx import table as mdx_table
from stemlane.catalog.install import add_model
from stemlane.cli.main import main
from stemlane.engine.separator import Separator
from stemlane.errors import ModelError
from stemlane.manifests import registry
from support.tiny_mdx import network
from support.unreliable_server import serve

pytestmark = pytest.mark.usefixtures("no_models", "trials_here")

BINS, FRAMES, FFT = 70, 12, 4096


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "UVR-MDX Tiny_1.onnx"
    path.write_bytes(network(BINS, FRAMES))
    return path


@pytest.fixture
def known(file, monkeypatch):
    """The table knows the file."""
    facts = mdx_table.MdxFacts(FFT, BINS, FRAMES, 1.022, "instrumental")
    monkeypatch.setattr(mdx_table, "find_facts", lambda path: facts)
    monkeypatch.setattr(
        mdx_source, "find_facts", lambda path: facts if path.read_bytes() == file.read_bytes() else None
    )
    return file


def test_a_known_file_needs_nothing_said(known, capsys):
    assert main(["models", "add", "mdx", "--from", str(known)]) == 0
    said = capsys.readouterr().out
    assert "added          uvr-mdx-tiny_1: MDX-Net uvr-mdx-tiny_1, latency" in said
    assert main(["models", "show", "uvr-mdx-tiny_1"]) == 0
    assert "each weighted by a Hann window over all of it" in capsys.readouterr().out
    manifest = registry.find_model("uvr-mdx-tiny_1")
    assert manifest.stems == ("other", "vocals") and manifest.residual == "vocals"
    settings = manifest.settings
    assert (settings.compensation, settings.fft_samples, settings.silent_bins) == (1.022, FFT, 3)
    assert (settings.weights, settings.stride_samples) == ("hann", 1024 * (FRAMES - 1) - FFT)
    assert "Ultimate Vocal Remover's table" in manifest.origin and manifest.licence == "none stated"
    quick = registry.find_model("uvr-mdx-tiny_1-low-latency")
    assert quick.settings.delay_samples + quick.stride_samples < settings.delay_samples + settings.stride_samples
    for name in ("uvr-mdx-tiny_1", "uvr-mdx-tiny_1-low-latency"):
        assert main(["models", "verify", name]) == 0
    mixture = np.random.default_rng(5).uniform(-0.5, 0.5, (1, 20000)).astype(np.float32)
    stems = Separator("uvr-mdx-tiny_1").separate(mixture, 48000)
    np.testing.assert_allclose(sum(stems.values()), mixture, atol=1e-6)


def test_what_the_user_says_comes_first(known):
    manifest = add_model("mdx", location=str(known), stem="drums", compensation=1.5, both_signs=True, name="mine")[0]
    assert manifest.name == "mine" and manifest.separated_stems == ("drums",) and manifest.residual == "other"
    assert manifest.settings.compensation == 1.5 and manifest.settings.both_signs


def test_an_unknown_file_wants_to_be_told(file):
    location = str(file)
    with pytest.raises(ModelError, match="not in the table of known networks: say what it gives, --stem NAME"):
        add_model("mdx", location=location)
    with pytest.raises(ModelError, match="give the length of its transform, --n-fft N"):
        add_model("mdx", location=location, stem="vocals")
    for fft in (4095, 1024, 0, 11 * 1024):
        with pytest.raises(ModelError, match=f"--n-fft is {fft}, should be even, from 2048 to 11262"):
            add_model("mdx", location=location, stem="vocals", fft_samples=fft)
    with pytest.raises(ModelError, match=r"--stem is 'trumpet', should be one of: vocals, drums, bass"):
        add_model("mdx", location=location, stem="trumpet")
    with pytest.raises(ModelError, match="--compensation is 0, should be from 0.01 to 100"):
        add_model("mdx", location=location, stem="vocals", fft_samples=FFT, compensation=0)
    manifest = add_model("mdx", location=location, stem="vocals", fft_samples=FFT)[0]
    assert manifest.settings.compensation == 1 and manifest.stems == ("vocals", "other")


TARGETS = [
    ("Instrumental", "other", "vocals", ""),
    ("Other", "other", "vocals", "neither voice, drums nor bass"),
    ("lead-vocals", "vocals", "other", "the backing vocals stay in other"),
    ("karaoke", "other", "vocals", "the backing vocals stay in other"),
    ("Reverb", "other", "vocals", "other is the reverb"),
    ("No Reverb", "vocals", "other", "other is the reverb"),
    ("crowd", "other", "vocals", "other the crowd"),
    ("No Crowd", "vocals", "other", "other the crowd"),
]  # fmt: skip


def test_targets_that_are_none_of_our_stems(file, capsys):
    """The network's output, compensated, is the one stem, the mixture minus it the other; a note says what they are."""
    arguments = ["models", "add", "mdx", "--from", str(file), "--n-fft", str(FFT), "--compensation", "1.5", "--name"]
    assert main([*arguments, "plain", "--stem", "vocals"]) == 0
    assert "note " not in capsys.readouterr().out
    mixture = np.random.default_rng(5).uniform(-0.5, 0.5, (2, 20000)).astype(np.float32)
    plain = Separator("plain").separate(mixture, 44100)
    for said, stem, residual, words in TARGETS:
        assert main([*arguments, "odd", "--stem", said, "--force"]) == 0
        noted = f"note           {registry.find_model('odd').note}\n" if words else ""
        added = capsys.readouterr().out
        assert main(["models", "show", "odd"]) == 0
        shown = capsys.readouterr().out
        assert words in noted and noted in added and noted in shown, said
        assert ("note " in added, "note " in shown) == (bool(words), bool(words)), said
        found = Separator("odd").separate(mixture, 44100)
        np.testing.assert_array_equal(found[stem], plain["vocals"], err_msg=said)
        np.testing.assert_array_equal(found[residual], plain["other"], err_msg=said)
        np.testing.assert_allclose(found[residual], mixture - found[stem], atol=1e-6, err_msg=said)


def test_every_network_of_the_table_has_faders():
    """What its targets are called is checked here: adding a file is what looks them up."""
    targets = [facts.target for facts in mdx_table.KNOWN.values()]
    assert set(targets) <= set(mdx_table.TARGETS)
    odd = {target: targets.count(target) for target in ("other", "lead-vocals", "karaoke", "reverb", "no-crowd")}
    assert odd == {"other": 2, "lead-vocals": 1, "karaoke": 1, "reverb": 1, "no-crowd": 1}


def test_options_of_other_sources_are_refused(file):
    with pytest.raises(ModelError, match="--extension means nothing for mdx; leave it out"):
        add_model("mdx", location=str(file), mask_extension="average")
    with pytest.raises(ModelError, match="--n-fft means nothing for spleeter:4stems"):
        add_model("spleeter:4stems", fft_samples=4096)
    with pytest.raises(ModelError, match=re.escape("mdx needs --from FILE.onnx")):
        add_model("mdx")


def other_network(inputs: dict, outputs: dict) -> bytes:
    def sides(names):
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in names.items()]

    source = next(iter(inputs))
    nodes = [helper.make_node("Relu", [source], [name]) for name in outputs]
    graph = helper.make_graph(nodes, "other", sides(inputs), sides(outputs))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.mark.parametrize("content", [
    other_network({"x": [1, 2, 70, 12]}, {"y": [1, 2, 70, 12]}),
    other_network({"x": [1, 4, 70, "frames"]}, {"y": [1, 4, 70, "frames"]}),
    other_network({"x": [2, 4, 70, 12]}, {"y": [2, 4, 70, 12]}),
    other_network({"x": [1, 4, 70, 12]}, {"y": [1, 4, 70, 12], "z": [1, 4, 70, 12]}),
], ids=["two planes", "free frames", "batch of two", "two outputs"])  # fmt: skip
def test_networks_of_another_form(file, content):
    file.write_bytes(content)
    with pytest.raises(ModelError, match="should have one input and one output, both .*: not an MDX-Net network"):
        add_model("mdx", location=str(file), stem="vocals", fft_samples=FFT)


def test_damaged_and_missing_files(tmp_path, file):
    file.write_bytes(network(BINS, FRAMES)[:-500])
    with pytest.raises(ModelError, match="not an ONNX network, or damaged"):
        add_model("mdx", location=str(file), stem="vocals", fft_samples=FFT)
    with pytest.raises(ModelError, match="no such file; it should be an MDX-Net network"):
        add_model("mdx", location=str(tmp_path / "none.onnx"))
    assert not list((tmp_path / "data" / "stemlane" / "models").glob("*/"))


def test_a_known_file_that_is_not_what_the_table_says(file, monkeypatch):
    monkeypatch.setattr(mdx_source, "find_facts", lambda path: mdx_table.MdxFacts(6144, 3072, 256, 1.0, "vocals"))
    with pytest.raises(ModelError, match="has 70 bins and 12 frames, the table says 3072, 256"):
        add_model("mdx", location=str(file))


def test_from_addresses_only_known_files(tmp_path, known):
    with serve(known.read_bytes()) as server:
        assert add_model("mdx", location=server.url + "/a/Some%20Net.onnx?download=1")[0].name == "some-net"
    with (
        serve(b"something else") as server,
        pytest.raises(ModelError, match="is not a file of the table of known networks"),
    ):
        add_model("mdx", location=server.url + "/x.onnx", name="x")
    assert not list((tmp_path / "data" / "stemlane" / "downloads").glob("*.onnx"))


def test_the_table_knows_files_by_the_end(tmp_path, monkeypatch):
    assert len(mdx_table.KNOWN) == 44
    path = tmp_path / "large.onnx"
    path.write_bytes(b"0" * 100 + b"1" * 10_240_000)
    expected = mdx_table.MdxFacts(6144, 2048, 256, 1.0, "vocals")
    monkeypatch.setitem(mdx_table.KNOWN, "b5dad28809685d9764dbd08fa23600bc", expected)
    found = mdx_table.find_facts(path)
    path.write_bytes(b"1" * 10_240_000)
    assert mdx_table.find_facts(path) == found == expected
