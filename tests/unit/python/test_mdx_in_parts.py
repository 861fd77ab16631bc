# SPDX-License-Identifier: MIT
"""MDX-Net in parts along the frames gives what the network gives as a whole, or stays as it is."""

import random

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from stemlane.catalog.convert.mdx import in_parts as in_parts_module
from stemlane.catalog.convert.mdx.in_parts import in_parts
from stemlane.catalog.install import add_model
from stemlane.engine.separator import Separator
from stemlane.errors import ModelError
from support.mdx_unet import unet

# What is left is rounding: sums of a few hundred products in another order, each of them 6e-8 of what is added up.
TOLERANCE = 1e-5  # of the largest value
WEIGHTS = "network.weights"


def computed(folder, network: bytes) -> np.ndarray:
    """What onnxruntime gives for values that are always the same."""
    path = folder / "network.onnx"
    path.write_bytes(network)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    shape = [1, *session.get_inputs()[0].shape[1:]]
    values = np.random.default_rng(7).standard_normal(shape).astype(np.float32)
    return session.run(None, {session.get_inputs()[0].name: values})[0]


def assert_equal_in_parts(folder, network: bytes, part_values: int, at_least: float) -> onnx.ModelProto:
    """Compare; there are so many times as many convolutions as before, `at_least`. Returns the model in parts."""
    found = in_parts(onnx.ModelProto.FromString(network), part_values, WEIGHTS)
    assert found is not None
    model, weights = found
    before, after = (sum(node.op_type == "Conv" for node in one.graph.node)
                     for one in (onnx.ModelProto.FromString(network), model))  # fmt: skip
    assert after / before >= at_least
    (folder / WEIGHTS).write_bytes(weights)
    whole, parts = computed(folder, network), computed(folder, model.SerializeToString())
    np.testing.assert_allclose(parts, whole, rtol=0, atol=TOLERANCE * np.abs(whole).max())
    return model


@pytest.mark.parametrize("part_values", [60, 250])
@pytest.mark.parametrize("bins, frames, depth", [(24, 20, 2), (40, 36, 2), (8, 14, 1), (16, 8, 3), (2, 61, 0)])
def test_a_u_net_as_published(tmp_path, bins, frames, depth, part_values):
    """Odd numbers of frames at some level, parts of a single frame, and levels that are small enough to stay whole."""
    assert_equal_in_parts(tmp_path, unet(bins, frames, depth=depth, seed=bins), part_values, 1.2)


@pytest.mark.parametrize("bins, frames, depth", [(24, 40, 2), (8, 46, 1), (16, 48, 3)])
def test_the_first_level_computed_again_is_the_same(tmp_path, monkeypatch, bins, frames, depth):
    """Its convolutions are there once more, in twice as many parts; onnxruntime does not find them equal."""
    network, part_values = unet(bins, frames, depth=depth, seed=bins), bins * frames
    kept = assert_equal_in_parts(tmp_path, network, part_values, 1.2)
    monkeypatch.setattr(in_parts_module, "_MOST_KEPT_VALUES", 4 * bins * frames - 1)
    again = assert_equal_in_parts(tmp_path, network, part_values, 1.2)
    num_kept, num_again = (num_computed(tmp_path, model) for model in (kept, again))
    first_level, parts = 4, 4  # convolutions, that of the input among them
    assert num_again - num_kept == first_level * 2 * parts


def num_computed(folder, model: onnx.ModelProto) -> int:
    """How many convolutions onnxruntime computes."""
    options, path = onnxruntime.SessionOptions(), folder / "network.onnx"
    path.write_bytes(model.SerializeToString())
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    nodes = onnx.load(folder / "optimised.onnx", load_external_data=False).graph.node
    return sum(node.op_type == "Conv" for node in nodes)


def test_a_small_one_stays_as_it_is():
    assert in_parts(onnx.ModelProto.FromString(unet(24, 20)), 4 * 24 * 20, WEIGHTS) is None


def graph(nodes, constants=(), bins=5, frames=23, opset=17, out_bins=None, out_frames=None) -> bytes:
    """A network of these nodes, from `x` to `y`."""
    shapes = {"x": [1, 4, bins, frames], "y": [1, 4, out_bins or bins, out_frames or frames]}
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    made = helper.make_graph(nodes, "g", ends[:1], ends[1:], list(constants))
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8).SerializeToString()


def constant(name: str, *shape: int, seed: int = 0) -> TensorProto:
    values = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return numpy_helper.from_array(values, name)


@pytest.mark.parametrize("seed", range(60))
def test_convolutions_of_any_form(tmp_path, seed):
    """A convolution between two others, with kernels, steps, gaps and padding that are drawn, bins or frames last."""
    draw = random.Random(seed)
    transposed, turned, opset = draw.random() < 0.5, draw.random() < 0.5, draw.choice([9, 13, 17])
    kernel, strides, dilations = ([draw.randint(1, most) for _ in range(2)] for most in (4, 3, 2))
    if transposed:
        kernel = [max(size, step) for size, step in zip(kernel, strides, strict=True)]
    spans = [(size - 1) * step for size, step in zip(kernel, dilations, strict=True)]
    pads = [draw.randint(0, spans[axis % 2] // (2 if transposed else 1)) for axis in range(4)]
    sizes = []
    for axis, size in enumerate((23, 9) if turned else (9, 23)):
        padded = pads[axis] + pads[2 + axis]
        sizes.append((size - 1) * strides[axis] + spans[axis] + 1 - padded if transposed
                     else (size + padded - spans[axis] - 1) // strides[axis] + 1)  # fmt: skip
    turn = [helper.make_node("Transpose", ["a"], ["b"], perm=[0, 1, 3, 2])] if turned else []
    back = [helper.make_node("Transpose", ["d"], ["e"], perm=[0, 1, 3, 2])] if turned else []
    nodes = [
        helper.make_node("Conv", ["x", "first"], ["a"], pads=[1, 1, 1, 1]),
        *turn,
        helper.make_node("ConvTranspose" if transposed else "Conv", ["b" if turned else "a", "middle", "bias"], ["c"],
                         strides=strides, dilations=dilations, pads=pads),
        helper.make_node("Relu", ["c"], ["d"]),
        *back,
        helper.make_node("Conv", ["e" if turned else "d", "last"], ["y"], pads=[1, 1, 1, 1]),
    ]  # fmt: skip
    constants = [constant("first", 4, 4, 3, 3), constant("middle", 4, 4, *kernel), constant("bias", 4),
                 constant("last", 4, 4, 3, 3)]  # fmt: skip
    out = sizes[::-1] if turned else sizes
    network = graph(nodes, constants, 9, 23, opset, *out)
    assert_equal_in_parts(tmp_path, network, 4 * 9 * 5, 1.3)


def test_what_stands_between_convolutions(tmp_path):
    """Channels beside each other, constants of any shape without frames, names for constants, products, groups."""
    nodes = [
        helper.make_node("Constant", [], ["half"], value=numpy_helper.from_array(np.float32(0.5))),
        helper.make_node("Identity", ["scale"], ["same scale"]),
        helper.make_node("Conv", ["x", "w"], ["a"], pads=[0, 1, 0, 1], group=2),
        helper.make_node("Mul", ["half", "a"], ["b"]),
        helper.make_node("Sub", ["same scale", "b"], ["c"]),
        helper.make_node("PRelu", ["c", "slope"], ["d"]),
        helper.make_node("Concat", ["d", "a"], ["e"], axis=-3),
        helper.make_node("Transpose", ["e"], ["f"], perm=[0, 3, 1, 2]),
        helper.make_node("MatMul", ["f", "m"], ["g"]),
        helper.make_node("Add", ["g", "row"], ["h"]),
        helper.make_node("Transpose", ["h"], ["i"], perm=[0, 2, 3, 1]),
        helper.make_node("Clip", ["i", "half"], ["j"]),
        helper.make_node("Div", ["j", "column"], ["k"]),
        helper.make_node("Conv", ["k", "v", "bias"], ["y"], pads=[1, 2, 1, 2], dilations=[1, 2]),
    ]  # fmt: skip
    constants = [
        constant("scale", 5, 1), constant("w", 4, 2, 1, 3), constant("slope", 4, 1, 1), constant("m", 5, 7),
        constant("row", 7), constant("column", 1, 8, 1, 1), constant("v", 4, 8, 3, 3), constant("bias", 4),
    ]  # fmt: skip
    model = assert_equal_in_parts(tmp_path, graph(nodes, constants, out_bins=7), 8 * 5 * 4, 4)
    products = {node.input[1] for node in model.graph.node if node.op_type == "MatMul"}
    assert products == {"weights@12288"}  # mapped, not copied: behind three others, a page each


def test_models_that_are_added_sound_as_before(tmp_path, no_models, trials_here, monkeypatch):
    """Both models share one network and its weights; what they give is that of the network as a whole."""
    file = tmp_path / "a.onnx"
    file.write_bytes(unet(64, 16, growth=8))
    mixture = np.random.default_rng(5).uniform(-0.5, 0.5, (2, 40_000)).astype(np.float32)
    options = {"location": str(file), "stem": "vocals", "fft_samples": 4096}
    found = {}
    for name, part_values in (("whole", 1 << 40), ("parts", 1000)):
        monkeypatch.setattr(in_parts_module, "PART_VALUES", part_values)
        folders = [manifest.folder for manifest in add_model("mdx", name=name, **options)]
        assert len(folders) == 2
        files = [sorted(path.name for path in folder.iterdir()) for folder in folders]
        assert (WEIGHTS in files[0], WEIGHTS in files[1]) == (name == "parts",) * 2
        found[name] = Separator(name).separate(mixture, 44100)["vocals"]
    scale = np.abs(found["whole"]).max()
    assert scale > 0.01
    np.testing.assert_allclose(found["parts"], found["whole"], rtol=0, atol=TOLERANCE * scale)


CONV = {"pads": [1, 1, 1, 1]}
KERNEL = constant("w", 4, 4, 3, 3)


def conv(*, source="x", output="y", **attributes):
    return helper.make_node("Conv", [source, "w"], [output], **{**CONV, **attributes})


def raw(name: str, *dims: int) -> TensorProto:
    """A tensor that says it has these sizes and has no values."""
    return TensorProto(name=name, data_type=TensorProto.FLOAT, dims=dims)


UNKNOWN = {
    "frames are mixed": graph([conv(output="a"), helper.make_node("MatMul", ["a", "m"], ["y"])],
                              [KERNEL, constant("m", 23, 23)]),
    "frames are normalised": graph([conv(output="a"), helper.make_node("Softmax", ["a"], ["y"], axis=3)], [KERNEL]),
    "frames have weights": graph([conv(output="a"), helper.make_node("Mul", ["a", "m"], ["y"])],
                                 [KERNEL, constant("m", 23)]),
    "frames beside each other": graph([conv(output="a"), helper.make_node("Concat", ["a", "a"], ["y"], axis=3)],
                                      [KERNEL], out_frames=46),
    "frames turned round": graph([conv(output="a"), helper.make_node("Transpose", ["a"], ["y"])], [KERNEL]),
    "padding by a rule": graph([conv(auto_pad="SAME_UPPER")], [KERNEL]),
    "padding that is no number": graph([conv(pads="1")], [KERNEL]),
    "padding of floats": graph([conv(pads=[1.0] * 4)], [KERNEL]),
    "padding of two": graph([conv(pads=[1, 1])], [KERNEL]),
    "padding without end": graph([conv(pads=[1, 1, 1, (1 << 63) - 1])], [KERNEL]),
    "steps of zero": graph([conv(strides=[1, 0])], [KERNEL]),
    "gaps without end": graph([conv(dilations=[1, 1 << 62])], [KERNEL]),
    "a kernel of no values": graph([conv()], [raw("w", 4, 4, 3, 3)]),
    "a kernel without end": graph([conv()], [raw("w", 4, 4, 3, 1 << 62)]),
    "a kernel of less than none": graph([conv()], [raw("w", 4, 4, -3, 3)]),
    "a kernel of other channels": graph([conv()], [constant("w", 4, 5, 3, 3)]),
    "no kernel": graph([helper.make_node("Conv", ["x"], ["y"])]),
    "an empty name": graph([helper.make_node("Add", ["x", ""], ["y"])]),
    "no output": graph([helper.make_node("Constant", [], [], value=numpy_helper.from_array(np.float32(1)))]),
    "a name given twice": graph([conv(output="a"), conv(source="a", output="a"), conv(source="a")], [KERNEL]),
    "the input given again": graph([conv(output="x"), conv()], [KERNEL]),
    "a constant given twice": graph([conv()], [KERNEL, constant("w", 4, 4, 3, 3)]),
    "a name before it is given": graph([conv(source="b", output="a"), conv(output="b"), conv(source="a")], [KERNEL]),
    "our name for a part": graph([conv(output="in parts/1"), conv(source="in parts/1")], [KERNEL]),
    "our name for a weight": graph([helper.make_node("Conv", ["x", "weights@0"], ["y"], pads=[1, 1, 1, 1])],
                                   [constant("weights@0", 4, 4, 3, 3)]),
    "an output of another size": graph([conv()], [KERNEL], out_frames=24),
    "an output nobody gives": graph([conv(output="a")], [KERNEL]),
    "an old operator set": graph([conv()], [KERNEL], opset=8),
    "bins without end": graph([conv(output="y")], [KERNEL], bins=1 << 62),
    "an axis that is a word": graph([conv(output="a"), helper.make_node("Concat", ["a"], ["y"], axis="1")], [KERNEL]),
    "a product with nothing": graph([helper.make_node("MatMul", ["x"], ["y"])]),
    "lost frames": graph([conv(pads=[0, 40, 0, 40])], [constant("w", 4, 4, 1, 1)], out_frames=103),
}  # fmt: skip

TAKEN = (
    "frames are mixed", "frames are normalised", "frames have weights", "a constant given twice",
    "a name before it is given", "our name for a part", "our name for a weight", "an output of another size",
    "an old operator set",
)  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_network_that_is_not_known_stays_as_it_is(name):
    assert in_parts(onnx.ModelProto.FromString(UNKNOWN[name]), 60, WEIGHTS) is None


def test_a_network_that_is_known_would_not(tmp_path):
    """The same in parts where nothing is strange, else the tests above say nothing."""
    assert_equal_in_parts(tmp_path, graph([conv(output="a"), conv(source="a")], [KERNEL]), 60, 4)


@pytest.mark.parametrize("name", [*UNKNOWN, "a normalisation of other channels"])
def test_hostile_networks_are_added_whole_or_refused_in_a_line(tmp_path, no_models, monkeypatch, name):
    """What onnxruntime takes is added; of one that is put in parts and fails, the line is the same."""
    monkeypatch.setattr(in_parts_module, "PART_VALUES", 60)
    norm = helper.make_node("BatchNormalization", ["a", *["n"] * 4], ["y"])
    wrong = graph([conv(output="a"), norm], [KERNEL, constant("n", 5)])
    (tmp_path / "a.onnx").write_bytes(UNKNOWN.get(name, wrong))
    options = {"location": str(tmp_path / "a.onnx"), "stem": "vocals", "fft_samples": 4096}
    if name in TAKEN:
        folder = add_model("mdx", **options)[0].folder
        assert (folder / "network.onnx").read_bytes() == UNKNOWN[name] and not (folder / WEIGHTS).exists()
        return
    with pytest.raises(ModelError, match=r"model 'a' does not run: .*network\.onnx: .|--n-fft is 4096") as refused:
        add_model("mdx", **options)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("seed", range(3))
def test_damaged_networks_raise_nothing(seed):
    """Bytes of the graph, not of its weights, that are another; what can still be parsed is read to its end."""
    draw, content = random.Random(seed), unet(8, 24, depth=1, growth=2)
    num_parsed = 0
    for _ in range(400):
        changed = bytearray(content)
        for _ in range(draw.randint(1, 4)):
            changed[draw.randrange(len(changed) // 3)] = draw.randrange(256)
        try:
            model = onnx.ModelProto.FromString(bytes(changed))
        except Exception:  # noqa: BLE001 - the parser's; `check_network` refuses these
            continue
        num_parsed += 1
        in_parts(model, 60, WEIGHTS)
    assert num_parsed > 40
