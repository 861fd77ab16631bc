# SPDX-License-Identifier: MIT
"""The originals that Stemlane is measured against: how each draws its weights and separates a song by itself.

Nothing here runs in this Python. The scripts are for the original's environment, with the sizes of published networks
and weights as the original draws them before training.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# Writes 4stems/ with weights as the original draws them before training.
_SPLEETER_WEIGHTS = """
import json, pathlib, sys
import spleeter.resources
import tensorflow as tf
from spleeter.model import EstimatorSpecBuilder, InputProviderFactory
config = json.loads((pathlib.Path(spleeter.resources.__file__).parent / "4stems.json").read_text())
folder = pathlib.Path(sys.argv[1]) / "4stems"
folder.mkdir()
with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    tf.compat.v1.set_random_seed(1)
    EstimatorSpecBuilder(InputProviderFactory.get(config).get_input_dict_placeholders(), config).outputs
    tf.compat.v1.train.get_or_create_global_step()
    session.run(tf.compat.v1.global_variables_initializer())
    tf.compat.v1.train.Saver().save(session, str(folder / "model"), write_meta_graph=False)
(folder / ".probe").write_text("OK")
"""

# Writes htdemucs.yaml and a package of the published size, weights as the original draws them.
_HTDEMUCS_WEIGHTS = """
import pathlib, sys
from fractions import Fraction
import torch
from demucs.htdemucs import HTDemucs
torch.manual_seed(1)
folder = pathlib.Path(sys.argv[1])
sources = ["drums", "bass", "other", "vocals"]
model = HTDemucs(sources=sources, segment=Fraction(39, 5), bottom_channels=512, dconv_mode=3)
args, kwargs = model._init_args_kwargs
state = {name: values.half() for name, values in model.state_dict().items()}
package = {"klass": HTDemucs, "args": args, "kwargs": kwargs, "state": state, "training_args": {}}
torch.save(package, folder / "0123abcd.th")
(folder / "htdemucs.yaml").write_text("models: ['0123abcd']\\n")
"""


# Writes <stem>.pth and what is read beside them, of the size of umxhq.
_OPEN_UNMIX_WEIGHTS = """
import json, pathlib, sys
import torch
from openunmix.model import OpenUnmix
torch.manual_seed(1)
folder = pathlib.Path(sys.argv[1])
for stem in ("vocals", "drums", "bass", "other"):
    network = OpenUnmix(nb_bins=2049, nb_channels=2, hidden_size=512, max_bin=1487)
    torch.save(network.state_dict(), folder / f"{stem}.pth")
    settings = {"args": {"nfft": 4096, "nb_channels": 2, "hidden_size": 512}}
    (folder / f"{stem}.json").write_text(json.dumps(settings))
separator = {"sample_rate": 44100, "nfft": 4096, "nhop": 1024, "nb_channels": 2}
(folder / "separator.json").write_text(json.dumps(separator))
"""

# Writes weights.ckpt and weights.yaml of one of the trainer's networks; segments overlap by half, one at a time.
_TRAINED = """
import json, pathlib, sys
import torch
torch.manual_seed(1)
folder = pathlib.Path(sys.argv[1])
INFERENCE = {"batch_size": 1, "num_overlap": 2, "chunk_size": AUDIO["chunk_size"]}
tables = {"audio": AUDIO, "model": MODEL, "training": TRAINING, "inference": INFERENCE}
(folder / "weights.yaml").write_text("".join(
    f"{title}:\\n" + "".join(f"  {name}: {json.dumps(value)}\\n" for name, value in table.items())
    for title, table in tables.items()))
"""
_SAVED = """
torch.save(network.state_dict(), folder / "weights.ckpt")
"""
_ONE_STEM = 'TRAINING = {"instruments": ["vocals", "other"], "target_instrument": "vocals"}\n'
# Without `zero_dc` the trainer's program silences the lowest bin, as Stemlane does. These two originals keep it.
_ROFORMER = """
MODEL = {"dim": 384, "depth": 6, "stereo": True, "num_stems": 1, "time_transformer_depth": 1,
         "freq_transformer_depth": 1, "dim_head": 64, "heads": 8, "attn_dropout": 0, "ff_dropout": 0,
         "dim_freqs_in": 1025, "stft_n_fft": 2048, "stft_hop_length": 441, "stft_win_length": 2048,
         "stft_normalized": False, "mask_estimator_depth": 2, "zero_dc": False}
AUDIO = {"chunk_size": 352800, "hop_length": 441, "num_channels": 2, "sample_rate": 44100}
"""
# 228 million weights, the shape of most vocal networks.
_MEL_WEIGHTS = f"""{_ONE_STEM}{_ROFORMER}
MODEL["num_bands"] = 60
{_TRAINED}
from mel_band_roformer.mel_band_roformer import MelBandRoformer
del MODEL["zero_dc"]  # not a parameter of this one
network = MelBandRoformer(**MODEL)
{_SAVED}"""
# 47 million, the shape of the smaller of the usual ones.
_BS_WEIGHTS = f"""{_ONE_STEM}{_ROFORMER}
BANDS = [2] * 24 + [4] * 12 + [12] * 8 + [24] * 8 + [48] * 8 + [128, 129]
MODEL |= {{"dim": 256, "depth": 12, "freqs_per_bands": BANDS}}
{_TRAINED}
from bs_roformer.bs_roformer import BSRoformer
network = BSRoformer(**MODEL | {{"freqs_per_bands": tuple(BANDS)}})
{_SAVED}"""
_REGISTERED = """
from pymss import register_model
register_model("bench", KIND, folder / "weights.ckpt", config_path=folder / "weights.yaml", force=True)
"""
# 10 million weights, the smaller one of its authors.
_SCNET_WEIGHTS = f"""
TRAINING = {{"instruments": ["drums", "bass", "other", "vocals"], "target_instrument": None}}
MODEL = {{"sources": TRAINING["instruments"], "audio_channels": 2, "dims": [4, 32, 64, 128], "nfft": 4096,
          "hop_size": 1024, "win_size": 4096, "normalized": True, "band_SR": [0.175, 0.392, 0.433],
          "band_stride": [1, 4, 16], "band_kernel": [3, 4, 16], "conv_depths": [3, 2, 1], "compress": 4,
          "conv_kernel": 3, "num_dplayer": 6, "expand": 1}}
AUDIO = {{"chunk_size": 485100, "hop_length": 1024, "num_channels": 2, "sample_rate": 44100}}
KIND = "scnet"
{_TRAINED}
from pymss_core.modules.scnet.scnet import SCNet
network = SCNet(**MODEL)
{_SAVED}{_REGISTERED}"""
# 112 million weights, the shape of its published vocal networks.
_MDX23C_WEIGHTS = f"""
from types import SimpleNamespace
TRAINING = {{"instruments": ["vocals", "other"], "target_instrument": None}}
MODEL = {{"act": "gelu", "bottleneck_factor": 4, "growth": 128, "norm": "InstanceNorm", "num_blocks_per_scale": 2,
          "num_channels": 128, "num_scales": 5, "num_subbands": 4, "scale": [2, 2]}}
AUDIO = {{"chunk_size": 261120, "dim_f": 4096, "dim_t": 256, "hop_length": 1024, "n_fft": 8192, "num_channels": 2,
          "sample_rate": 44100}}
KIND = "mdx23c"
{_TRAINED}
from pymss_core.config import load_config
from pymss_core.modules.mdx23c_tfc_tdf_v3 import TFC_TDF_net
network = TFC_TDF_net(load_config(folder / "weights.yaml"))
{_SAVED}{_REGISTERED}"""
# A U-Net of the size of MDX-Net's, in the operators of its published files, and the lists that audio-separator fetches.
_MDX_WEIGHTS = """
import hashlib, json, pathlib, sys
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
GROWTH, DEPTH, BINS, FRAMES = 48, 5, 3072, 256
LEVEL = 2e-8  # of the last weights: the stem of the song that is separated then reaches a quarter of full scale
random, nodes, weights = np.random.default_rng(1), [], []
def add(operator, *inputs, **attributes):
    nodes.append(helper.make_node(operator, list(inputs), [f"n{len(nodes)}"], **attributes))
    return f"n{len(nodes) - 1}"
def weight(*shape, inputs, gain=1.0):
    values = (random.standard_normal(shape) * gain * (2 / inputs) ** 0.5).astype(np.float32)
    weights.append(numpy_helper.from_array(values, f"w{len(weights)}"))
    return f"w{len(weights) - 1}"
def conv(source, inputs, outputs, size, step=1, gain=1.0):
    kernel = weight(outputs, inputs, size, size, inputs=inputs * size * size, gain=gain)
    return add("Conv", source, kernel, strides=[step, step], pads=[size // 2 if step == 1 else 0] * 4)
def block(source, channels, bins):
    for _ in range(3):
        source = add("Relu", conv(source, channels, channels, 3))
    along = source
    for inputs, outputs in ((bins, bins // 8), (bins // 8, bins)):
        along = add("Relu", add("MatMul", along, weight(inputs, outputs, inputs=inputs)))
    return add("Add", source, along)
signal = add("Transpose", "input", perm=[0, 1, 3, 2])
signal, channels, bins, kept = add("Relu", conv(signal, 4, GROWTH, 1)), GROWTH, BINS, []
for _ in range(DEPTH):
    signal = block(signal, channels, bins)
    kept.append(signal)
    signal = add("Relu", conv(signal, channels, channels + GROWTH, 2, 2))
    channels, bins = channels + GROWTH, bins // 2
signal = block(signal, channels, bins)
for _ in range(DEPTH):
    signal = add("ConvTranspose", signal, weight(channels, channels - GROWTH, 2, 2, inputs=channels), strides=[2, 2])
    channels, bins = channels - GROWTH, bins * 2
    signal = block(add("Mul", add("Relu", signal), kept.pop()), channels, bins)
add("Transpose", conv(signal, channels, 4, 1, gain=LEVEL), perm=[0, 1, 3, 2])
nodes[-1].output[0] = "output"
ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4, BINS, FRAMES])
        for name in ("input", "output")]
graph = helper.make_graph(nodes, "mdx", ends[:1], ends[1:], weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
folder = pathlib.Path(sys.argv[1])
content = model.SerializeToString()
(folder / "bench.onnx").write_bytes(content)
lists = {f"{kind}_download_list": {} for kind in ("demucs", "vr", "mdx", "mdx23c", "roformer")}
lists |= {"mdx_download_vip_list": {}, "mdx23c_download_vip_list": {}}
lists["mdx_download_list"]["bench"] = "bench.onnx"
settings = {"compensate": 1.0, "mdx_dim_f_set": BINS, "mdx_dim_t_set": 8, "mdx_n_fft_scale_set": 6144,
            "primary_stem": "Vocals"}
known = {hashlib.md5(content[-10000 * 1024:]).hexdigest(): settings}
for name, values in (("download_checks", lists), ("mdx_model_data", known), ("vr_model_data", {})):
    (folder / f"{name}.json").write_text(json.dumps(values))
"""

ROUNDS = 2  # each side runs so often in turns
WEIGHTS = "{weights}"
_AS_TRAINED = {"config": f"{WEIGHTS}/weights.yaml", "stitching": "reference"}
_MDX_OVERLAP = str(6144 / (255 * 1024))  # of its segments, as in Ultimate Vocal Remover and here; a quarter is its own
# What is compared: of four stems the last is the residual.
_FOUR = ("vocals", "drums", "bass")
_VOCALS = ("vocals",)
# MDX23C's song is shorter than a segment. Where its end lies in a segment's last tenth, pymss gives that tenth full
# weight and the trainer's program, as Stemlane, a ramp. In longer songs both do the same.
_SHORT_SECONDS = 5.3
_PYMSS = "import sys; from pymss.cli import main; sys.exit(main())"


@dataclass(frozen=True)
class Original:
    """How an original is run.

    Attributes
    ----------
    package
        What the environment has installed, for messages and help.
    weights_script
        Python for the original's environment: writes weights into the folder named as its argument.
    source, location
        What `stemlane models add` is given: the source, and where in that folder the weights are.
    command
        Arguments after the original's Python, from the folder of weights, the song and a folder for the stems.
    seconds
        Length of the song: what heavy networks take an hour for tells no more.
    stems
        Those that are compared: what the network gives on both sides, without the residual.
    peak
        Largest sample of the song, 1 being full scale; None leaves the song as quiet as it is.
    options
        Of `add_model`; `WEIGHTS` stands for the folder of weights. Where Stemlane can join segments as the original
        does, it does so here: both compute as many then.
    """

    package: str
    weights_script: str
    source: str
    location: str
    command: Callable[[Path, Path, Path], list[str]]
    seconds: float = 180.0
    options: Mapping[str, object] = field(default_factory=dict)
    stems: Sequence[str] = _FOUR
    peak: float | None = None


def _pymss(kind: str, script: str, seconds: float, stems: Sequence[str]) -> Original:
    return Original(
        "pymss", script, kind, "weights.ckpt",
        lambda weights, song, stems: [
            "-c", _PYMSS, "infer", "bench", "-i", str(song), "-o", str(stems), "--device", "cpu",
        ],
        seconds, _AS_TRAINED, stems,
    )  # fmt: skip


def _roformer(package: str, script: str, seconds: float) -> Original:
    module, kind = package.removesuffix("-infer").replace("-", "_").replace("melband", "mel_band"), "roformer"
    return Original(
        package, script, kind, "weights.ckpt",
        lambda weights, song, stems: [
            "-m", f"{module}.inference", "--config_path", str(weights / "weights.yaml"),
            "--model_path", str(weights / "weights.ckpt"), "--input_folder", str(song.parent),
            "--store_dir", str(stems), "--device", "cpu",
        ],
        seconds, _AS_TRAINED, _VOCALS,
    )  # fmt: skip


ORIGINALS = {
    "spleeter": Original(
        "spleeter", _SPLEETER_WEIGHTS, "spleeter:4stems", "4stems",
        lambda weights, song, stems: [
            "-m", "spleeter", "separate", "-p", "spleeter:4stems", "-o", str(stems), str(song),
        ],
    ),
    "open-unmix": Original(
        "openunmix", _OPEN_UNMIX_WEIGHTS, "open-unmix:umxhq", ".",
        lambda weights, song, stems: [
            "-c", "from openunmix.cli import separate; separate()", "--no-cuda", "--model", str(weights),
            "--targets", "vocals", "drums", "bass", "other", "--outdir", str(stems), str(song),
        ],
    ),
    "htdemucs": Original(
        "demucs", _HTDEMUCS_WEIGHTS, "htdemucs", ".",
        lambda weights, song, stems: [
            "-m", "demucs", "-d", "cpu", "--shifts", "0", "--float32", "-n", "htdemucs", "--repo", str(weights),
            "-o", str(stems), str(song),
        ],
    ),
    "mdx": Original(
        "audio-separator", _MDX_WEIGHTS, "mdx", "bench.onnx",
        lambda weights, song, stems: [
            "-c", "from audio_separator.utils.cli import main; main()", str(song), "--model_filename", "bench.onnx",
            "--model_file_dir", str(weights), "--output_dir", str(stems), "--output_format", "WAV", "--use_soundfile",
            "--mdx_overlap", _MDX_OVERLAP, "--normalization", "1.0",
        ],
        15.0, {"stem": "vocals", "fft_samples": 6144, "compensation": 1.0}, _VOCALS,
        peak=1.0,  # audio-separator multiplies stems by the song's peak, although it has not divided the song by it
    ),
    "scnet": _pymss("scnet", _SCNET_WEIGHTS, 14.0, _FOUR),
    "mdx23c": _pymss("mdx23c", _MDX23C_WEIGHTS, _SHORT_SECONDS, _VOCALS),
    "mel-band-roformer": _roformer("melband-roformer-infer", _MEL_WEIGHTS, 8.0),
    "bs-roformer": _roformer("bs-roformer-infer", _BS_WEIGHTS, 8.0),
}  # fmt: skip
