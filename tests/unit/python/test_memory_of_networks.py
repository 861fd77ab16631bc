# SPDX-License-Identifier: MIT
"""Large networks separate files in the memory of one segment, and their weights take none that counts.

Networks of the published sizes would take minutes: these have one property of them each.
"""

import functools
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile
from stemlane.catalog.convert.htdemucs import models as htdemucs
from stemlane.catalog.convert.manifest_text import Description
from stemlane.catalog.convert.mdx import in_parts
from stemlane.catalog.convert.mdx23c import architecture as mdx23c
from stemlane.catalog.convert.mdx23c.network import build_graph
from stemlane.catalog.convert.mdx23c.source import transform
from stemlane.catalog.convert.onnx_graph import GraphBuilder
from stemlane.catalog.convert.open_unmix import models as open_unmix
from stemlane.catalog.convert.open_unmix.network import expected_shapes
from stemlane.catalog.convert.scnet import architecture as scnet
from stemlane.catalog.convert.scnet import network as scnet_network
from stemlane.catalog.convert.scnet import source as scnet_source
from stemlane.catalog.convert.spectral_models import Window, write_models
from stemlane.catalog.install import add_model
from stemlane.engine.mapped_weights import MappedWeights
from stemlane.manifests.model import load_manifest
from support import htdemucs_case, mdx23c_case, open_unmix_case, scnet_case, tiny_htdemucs, tiny_scnet, tiny_spleeter
from support.audio_files import music
from support.mdx_unet import unet
from support.torch_files import write_torch

ABOUT = ("Made for the test", "1", "MIT", "drawn", "none")
# The most that the process ever held, in MiB; how many threads there are must not depend on the machine.
SCRIPT = (
    "import sys; from stemlane.cli.main import main; assert main(sys.argv[1:]) == 0; "
    "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM:')))"
)
# KiB above what the process held before, at most and afterwards.
RUNS_SCRIPT = """
import sys
from pathlib import Path
from stemlane.engine.frontends.segment_network import SegmentNetwork
from stemlane.manifests.model import load_manifest
manifest = load_manifest(Path(sys.argv[1]))
session = SegmentNetwork(manifest, manifest.settings.networks[0], 2)._session
for values in (*session.inputs.values(), *session.outputs.values()):
    values.fill(1)

def held(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name))

for _ in range(3):  # what is made once
    session.run()
before = held("VmRSS")
open("/proc/self/clear_refs", "w").write("5")  # the highest is counted anew
session.run()
print(held("VmHWM") - before, held("VmRSS") - before)
"""
# Eight seconds: a second or two of computing, so that weights are let go of twenty times, however busy the machine.
HOP, BINS, SEGMENT = 128, 256, 8 * 345 * 128
WIDTH, LAYERS = 4 * BINS, 24
WEIGHT_MIB = 4 * WIDTH**2 / (1 << 20)


def peak_mib(folder, seconds: float, tmp_path) -> float:
    """The most memory of a process that separates so much music."""
    song = tmp_path / "song.wav"
    soundfile.write(song, music(round(44100 * seconds)).T, 44100)
    command = [sys.executable, "-c", SCRIPT, "separate", str(song), "-m", str(folder), "--stems", "vocals",
               "--overwrite", "-o", str(tmp_path / "out")]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "2"})  # fmt: skip
    return int(done.stdout.split()[-1]) / 1024


def build_products(folder, name: str, *, different: bool):
    """A model of 24 products with matrices of 4 MiB each, all of them the same or each another."""
    rng = np.random.default_rng(3)
    matrices = [(rng.standard_normal((WIDTH, WIDTH)) / np.sqrt(WIDTH)).astype(np.float32)
                for _ in range(LAYERS if different else 1)]  # fmt: skip

    def build(samples: int) -> GraphBuilder:
        graph, frames = GraphBuilder(), samples // HOP + 1
        signal = graph.shape("spectrogram", frames, WIDTH)
        for layer in range(LAYERS):
            signal = graph.node("MatMul", signal, graph.weight(matrices[layer % len(matrices)], mapped=True))
        graph.shape(signal, frames, BINS, 4, output="stem_spectrograms")
        return graph

    transform = {"fft_samples": 512, "hop_samples": HOP, "window": "hann", "normalised": False, "frames": "centred",
                 "network_bins": BINS, "level": "none"}  # fmt: skip
    return write_models(
        build, folder, stems=["vocals"], residual="other", sample_rate=44100, transform=transform,
        windows=[Window("", "", SEGMENT, 0, SEGMENT // 2)], description=Description(name, *ABOUT),
        report=lambda stage, done, total: None)[0]  # fmt: skip


def test_the_weights_of_a_large_network_take_no_memory(tmp_path):
    """96 MiB of weights take less than a quarter of that more than those of one layer."""
    one, many = (
        peak_mib(build_products(tmp_path, name, different=name == "many"), 8, tmp_path) for name in ("one", "many")
    )
    assert many - one < (LAYERS - 1) * WEIGHT_MIB / 4, (one, many)


def test_weights_are_let_go_of_while_the_network_computes(tmp_path):
    size = 1 << 24
    (tmp_path / "network.weights").write_bytes(bytes(size))
    mapped = MappedWeights(tmp_path / "network.onnx", {"weights@0": (np.float32, (size // 4,))})
    values = mapped.arrays["weights@0"]
    with mapped.in_use():
        assert values.sum() == 0
        assert resident_bytes("network.weights") > size / 2
    assert resident_bytes("network.weights") == 0
    assert values.sum() == 0  # and they come back


def resident_bytes(name: str) -> int:
    """How much of the mapped files of this name this process holds."""
    found, is_it = 0, False
    with open("/proc/self/smaps", encoding="utf-8") as file:
        for line in file:
            if "-" in line.split(" ", 1)[0]:
                is_it = line.rstrip().endswith(name)
            elif is_it and line.startswith("Rss:"):
                found += 1024 * int(line.split()[1])
    return found


def test_what_a_large_network_computes_with_is_given_back_after_each_run(tmp_path):
    """Signals of 11 MiB each: in use while the network runs, and nobody's when it has."""
    folder = build_products(tmp_path, "one", different=False)
    done = subprocess.run([sys.executable, "-c", RUNS_SCRIPT, str(folder)], capture_output=True, text=True, check=True)
    most, left = map(int, done.stdout.split())
    assert most > 10 << 10 and left < 4 << 10, done.stdout


def test_the_wiener_filter_takes_a_few_frames_at_a_time(tmp_path, monkeypatch):
    """221 MiB; with all estimates of a segment, 42 MiB for five stems, and all that is made of them it took 369."""
    monkeypatch.setattr(tiny_spleeter, "FFT", 4096)
    monkeypatch.setattr(tiny_spleeter, "HOP", 1024)
    stems = ("vocals", "drums", "bass", "piano", "other")
    folder = tiny_spleeter.build_spleeter(
        tmp_path, segment_frames=512, stride_frames=512, network_bins=1024, stems=stems, wiener_iterations=1
    )
    assert peak_mib(folder, 13, tmp_path) < 290


def test_a_file_takes_no_more_memory_than_one_segment(tmp_path):
    """One segment of 3 s and three of an HTDemucs with channels as published; two side by side take 90 MiB more."""
    sizes = {**htdemucs_case.SIZES, "segment": Fraction(3), "channels": 48, "nfft": 4096, "bottom_channels": 0,
             "t_layers": 1, "t_heads": 8, "sources": htdemucs_case.FOUR}  # fmt: skip
    package = tiny_htdemucs.package(tmp_path / "wide.th", tiny_htdemucs.seeded(sizes, "wide"), sizes)
    folder = htdemucs.convert({"": package}, Description("wide", *ABOUT), tmp_path)[0]
    one, three = (peak_mib(folder, seconds, tmp_path) for seconds in (2, 6.5))  # a new one begins every 2.25 s
    assert three - one < 45, (one, three)


def build_mdx23c(folder):
    """An MDX23C of a quarter of the published channels and two of five scales: a signal of its first has 32 MiB."""
    found = mdx23c.Architecture(
        widths=(32, 48, 64), num_blocks=2, scale=2, num_subbands=4, network_bins=4096, inner_bins=256, num_stems=2,
        fft_samples=8192, hop_samples=1024, segment_samples=255 * 1024)  # fmt: skip
    tensors = {name: mdx23c_case.weight(name, shape) for name, shape in mdx23c.expected_shapes(found).items()}
    return write_models(
        functools.partial(build_graph, found, tensors, [0]), folder, stems=["vocals"], residual="other",
        sample_rate=44100, transform=transform(found), windows=[Window("", "", 255 * 1024, 0, 255 * 512)],
        description=Description("mdx23c", *ABOUT), report=lambda stage, done, total: None)[0]  # fmt: skip


def test_no_signal_of_mdx23c_is_computed_as_a_whole(tmp_path):
    """279 MiB; whole ones took 452, and the mixture kept from the first layer to the last 306."""
    assert peak_mib(build_mdx23c(tmp_path), 2, tmp_path) < 300


def build_scnet(folder):
    """An SCNet of one block with 32 channels and two recurrent layers: each of its signals has 36 MiB."""
    found = scnet.Architecture(
        sources=("other", "vocals"), widths=(32,), depths=(1, 1, 1), kernels=(3, 4, 16), strides=(1, 4, 16),
        shares=(0.175, 0.392, 0.433), num_layers=2, expansion=1, fft_samples=4096, hop_samples=1024, normalised=True,
        segment_samples=473 * 1024)  # fmt: skip
    hidden = {"encoder.0.conv_modules.0.layers.0.4.weight": np.zeros(8)}
    tensors = {name: scnet_case.weight(name, shape) for name, shape in scnet.expected_shapes(found, hidden).items()}
    return write_models(
        functools.partial(scnet_network.build_graph, found, tensors, ["vocals"]), folder, stems=["vocals"],
        residual="other", sample_rate=44100, transform=scnet_source.transform(found),
        windows=[Window("", "", 473 * 1024, 0, 473 * 512)],
        description=Description("scnet", *ABOUT), report=lambda stage, done, total: None)[0]  # fmt: skip


def test_no_signal_of_scnet_is_computed_as_a_whole(tmp_path):
    """339 MiB; whole ones took 638."""
    assert peak_mib(build_scnet(tmp_path), 2, tmp_path) < 400


@pytest.mark.parametrize("most_kept, computed_late", [(1 << 25, False), (1 << 20, True)])
def test_scnet_computes_what_its_decoder_hears_again_when_it_is_heard(tmp_path, monkeypatch, most_kept, computed_late):
    """In onnxruntime's order the first block's parts, which alone end in Gelu here, come after the recurrent layers."""
    monkeypatch.setattr(scnet_network, "_MOST_KEPT_VALUES", most_kept)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    path = build_scnet(tmp_path) / "network.onnx"
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    operators = [node.op_type for node in onnx.load(tmp_path / "optimised.onnx", load_external_data=False).graph.node]
    last = len(operators) - operators[::-1].index("LSTM")
    before, after = operators[:last].count("Gelu"), operators[last:].count("Gelu")
    assert after >= before > 0 if computed_late else after == 0


def test_no_signal_of_mdx_net_is_computed_as_a_whole(tmp_path, no_models):
    """418 MiB; whole ones, of 96 MiB at the first of four levels, took 654."""
    (tmp_path / "a.onnx").write_bytes(unet(1024, 512, growth=48, depth=3, factor=8))
    manifest = add_model("mdx", location=str(tmp_path / "a.onnx"), stem="vocals", fft_samples=2048)[0]
    assert peak_mib(manifest.folder, 5, tmp_path) < 470


def test_mdx_net_keeps_no_large_signal_for_its_decoder(tmp_path, no_models, monkeypatch):
    """318 MiB; with the first level's signal of 96 MiB kept from the encoder to the decoder 418."""
    monkeypatch.setattr(in_parts, "_MOST_KEPT_VALUES", 1 << 20)
    (tmp_path / "a.onnx").write_bytes(unet(1024, 512, growth=48, depth=3, factor=8))
    manifest = add_model("mdx", location=str(tmp_path / "a.onnx"), stem="vocals", fft_samples=2048)[0]
    assert peak_mib(manifest.folder, 5, tmp_path) < 370


def test_open_unmix_holds_no_more_than_its_window_needs(tmp_path):
    """Four networks of 8 hidden values: their magnitudes and what is made of them, 485 MiB; it was 852."""
    shapes = expected_shapes(8, 1487)
    paths = {}
    for stem in ("vocals", "drums", "bass", "other"):
        values = {name: open_unmix_case.weight(stem, name, shape) for name, shape in shapes.items()}
        paths[stem] = write_torch(tmp_path / f"{stem}.pth", values, legacy=False)
    folder = open_unmix.convert(paths, Description("umx", *ABOUT), tmp_path)[0]
    assert peak_mib(folder, 40, tmp_path) < 540


def test_converters_ask_for_one_segment_at_once(tmp_path):
    for folder in (*tiny_htdemucs.build(tmp_path), *tiny_scnet.build(tmp_path)):
        assert load_manifest(folder).settings.segments_at_once == 1
