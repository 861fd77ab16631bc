# SPDX-License-Identifier: MIT
"""A U-Net in the operators and the order of MDX-Net's published files, of any size, with weights that are drawn.

After the original's ConvTDFNet (github.com/kuielab/mdx-net, src/models/mdxnet.py): bins and frames change places after
the first convolution and before the last; normalisations lie in the convolutions but for those after products and
transposed convolutions.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class _Writer:
    """Collects nodes and their weights; each layer keeps the level of its signal."""

    def __init__(self, seed: int):
        self._random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[TensorProto] = []

    def add(self, operator: str, *inputs: str, **attributes) -> str:
        """Add a node; returns the name of its output."""
        self.nodes.append(helper.make_node(operator, list(inputs), [f"n{len(self.nodes)}"], **attributes))
        return self.nodes[-1].output[0]

    def weight(self, values: np.ndarray) -> str:
        """Add a constant; returns its name."""
        self.weights.append(numpy_helper.from_array(values.astype(np.float32), f"w{len(self.weights)}"))
        return self.weights[-1].name

    def drawn(self, *shape: int, inputs: int) -> str:
        """Add a weight of a layer with so many inputs to each output."""
        return self.weight(self._random.standard_normal(shape) * (2 / inputs) ** 0.5)

    def conv(self, source: str, inputs: int, outputs: int, size: int, step: int = 1) -> str:
        """A convolution with a bias."""
        kernel = self.drawn(outputs, inputs, size, size, inputs=inputs * size * size)
        bias = self.weight(self._random.uniform(-0.1, 0.1, outputs))
        pads = [size // 2 if step == 1 else 0] * 4
        return self.add("Conv", source, kernel, bias, kernel_shape=[size] * 2, strides=[step] * 2, pads=pads)

    def norm(self, source: str, channels: int) -> str:
        """A normalisation by fixed mean and variance, and ReLU."""
        ends = ((0.5, 1.5), (-0.1, 0.1), (-0.1, 0.1), (0.5, 1.5))  # of scale, bias, mean and variance
        numbers = [self.weight(self._random.uniform(*pair, channels)) for pair in ends]
        return self.add("Relu", self.add("BatchNormalization", source, *numbers, epsilon=1e-5))

    def block(self, source: str, channels: int, bins: int, factor: int) -> str:
        """Three convolutions, and beside what they give two products along the bins of it."""
        for _ in range(3):
            source = self.add("Relu", self.conv(source, channels, channels, 3))
        along = source
        for inputs, outputs in ((bins, bins // factor), (bins // factor, bins)):
            product = self.add("MatMul", along, self.drawn(inputs, outputs, inputs=inputs))
            along = self.norm(product, channels)
        return self.add("Add", source, along)


def unet(bins: int, frames: int, *, growth: int = 4, depth: int = 2, factor: int = 2, seed: int = 1) -> bytes:
    """The ONNX file; `bins` and `frames` can be halved `depth` times, what is left of the bins divided by `factor`."""
    made = _Writer(seed)
    signal = made.add("Relu", made.conv("input", 4, growth, 1))
    signal, channels, kept = made.add("Transpose", signal, perm=[0, 1, 3, 2]), growth, []
    for level in range(depth):
        kept.append(made.block(signal, channels, bins >> level, factor))
        signal = made.add("Relu", made.conv(kept[-1], channels, channels + growth, 2, 2))
        channels += growth
    signal = made.block(signal, channels, bins >> depth, factor)
    for level in reversed(range(depth)):
        kernel = made.drawn(channels, channels - growth, 2, 2, inputs=channels)
        channels -= growth
        longer = made.norm(made.add("ConvTranspose", signal, kernel, strides=[2, 2]), channels)
        signal = made.block(made.add("Mul", longer, kept.pop()), channels, bins >> level, factor)
    made.conv(made.add("Transpose", signal, perm=[0, 1, 3, 2]), channels, 4, 1)
    made.nodes[-1].output[0] = "output"
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4, bins, frames])
            for name in ("input", "output")]  # fmt: skip
    graph = helper.make_graph(made.nodes, "mdx", ends[:1], ends[1:], made.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    onnx.checker.check_model(model)
    return model.SerializeToString()
