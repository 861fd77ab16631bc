# SPDX-License-Identifier: MIT
"""SCNet as one ONNX graph for segments of one length: spectrogram in, those of the stems out.

What the original computes (scnet/SCNet.py, separation.py), in another order: signals lie as (bin, frame, channel), so
that convolutions along one axis are matrix products and a bin's frames are normalised where they lie. The Fourier
transforms along the frames are products with constant matrices. The fusion layers hear their input twice; their
weights for both are added up.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from stemlane.catalog.convert.onnx_graph import GraphBuilder
from stemlane.catalog.convert.scnet.architecture import CHANNELS, Architecture, Band

_EPSILON = np.float32(1e-5)  # of the normalisations, torch's default, and of the input's deviation


def build_graph(
    found: Architecture, tensors: Mapping[str, np.ndarray], stems: Sequence[str], segment_samples: int
) -> GraphBuilder:
    """The graph for segments of `segment_samples`, as `spectral_models.Builder` describes it."""
    frames, bins = segment_samples // found.hop_samples + 1, found.num_bins
    writer = _Writer(tensors, frames)
    graph = writer.graph
    scaled, mean, deviation = "spectrogram", "", ""
    if found.normalises_segments:
        mean, deviation = writer.moments(graph.shape("spectrogram", 1, frames * bins * CHANNELS), unbiased=True)
        centred = graph.node("Sub", "spectrogram", mean)
        scaled = graph.node("Div", centred, graph.node("Add", deviation, graph.constant(_EPSILON)))
    signal = graph.node("Transpose", scaled, perm=[1, 0, 2])
    skips = []
    for index, width in enumerate(found.widths):
        bands = found.bands(bins)
        signal = skip = writer.encode(f"encoder.{index}", signal, bands, width, found.depths)
        skips.append((skip, bins, bands))
        bins = sum(band.positions for band in bands)
        signal = writer.convolved(f"encoder.{index}.globalconv", signal)
    width = found.widths[-1]
    for index in range(found.num_layers):
        name_here = f"separation_net.dp_modules.{index}"
        signal = writer.dual_path(name_here, signal, bins)
        signal = writer.from_frequencies(signal, width) if index % 2 else writer.to_frequencies(signal)
    order = np.array([found.sources.index(stem) for stem in stems])
    for index in range(len(found.widths)):
        skip, bins, bands = skips.pop()
        signal = writer.fused(f"decoder.{index}.0.conv", graph.node("Add", signal, skip), found.widths[-1 - index])
        outputs = None if skips else np.add.outer(order * CHANNELS, np.arange(CHANNELS)).ravel()
        signal = writer.decode(f"decoder.{index}.1", signal, bands, outputs)
    output = None if found.normalises_segments else "stem_spectrograms"
    signal = graph.node("Transpose", signal, perm=[1, 0, 2], output=output)
    if found.normalises_segments:
        graph.node("Add", graph.node("Mul", signal, deviation), mean, output="stem_spectrograms")
    return graph


class _Writer:
    """Adds layers to a graph, with their tensors as the original names them."""

    def __init__(self, tensors: Mapping[str, np.ndarray], frames: int):
        self.graph = GraphBuilder()
        self._tensors = tensors
        self._frames = frames

    def _get(self, name: str) -> np.ndarray:
        return self._tensors[name].astype(np.float64)

    def moments(self, rows: str, *, unbiased: bool = False) -> tuple[str, str]:
        """Mean and deviation of a matrix's values, without epsilon, each of one value."""
        graph = self.graph
        mean = graph.mean(rows, 0, 1)
        centred = graph.node("Sub", rows, mean)
        square = graph.node("Mul", centred, centred)
        if unbiased:
            ones = graph.node("Size", rows)
            number = graph.node("Cast", ones, to=1)
            fewer = graph.node("Sub", number, graph.constant(np.float32(1)))
            square = graph.node("Mul", square, graph.node("Div", number, fewer))
        deviation = graph.node("Sqrt", graph.mean(square, 0, 1))
        return graph.shape(mean, 1), graph.shape(deviation, 1)

    def product(self, source: str, matrix: np.ndarray, bias: np.ndarray) -> str:
        """`source` times `matrix` along the channels, plus `bias`."""
        graph = self.graph
        return graph.node("Add", graph.node("MatMul", source, graph.weight(matrix)), graph.weight(bias))

    def encode(self, name: str, source: str, bands: Sequence[Band], width: int, depths: Sequence[int]) -> str:
        """Bands apart: fewer bins, then the convolutions along the frames."""
        graph, outputs = self.graph, []
        for number, (band, depth) in enumerate(zip(bands, depths, strict=True)):
            part = graph.slice(source, 0, band.start, band.start + band.bins)
            part = graph.pad(part, 3, 0, band.before, band.after)
            weight = self._get(f"{name}.SDlayer.convs.{number}.weight")[:, :, :, 0]  # (outputs, inputs, kernel)
            matrix = weight.transpose(2, 1, 0).reshape(-1, width)
            if band.stride == 1:
                taps = [graph.slice(part, 0, tap, tap + band.positions) for tap in range(band.kernel)]
                part = graph.node("Concat", *taps, axis=2) if len(taps) > 1 else taps[0]
            else:
                part = self._split_bins(part, band, weight.shape[1])
            part = self.product(part, matrix, self._get(f"{name}.SDlayer.convs.{number}.bias"))
            for step in range(depth):
                part = self._module(f"{name}.conv_modules.{number}.layers.{step}", part, width)
            outputs.append(graph.node("Gelu", part))
        return graph.node("Concat", *outputs, axis=0)

    def _split_bins(self, source: str, band: Band, channels: int) -> str:
        """(positions x stride, frames, channels) to (positions, frames, stride x channels)."""
        graph = self.graph
        apart = graph.shape(source, band.positions, band.stride, self._frames, channels)
        together = graph.node("Transpose", apart, perm=[0, 2, 1, 3])
        return graph.shape(together, band.positions, self._frames, band.stride * channels)

    def _module(self, name: str, source: str, width: int) -> str:
        """Convolution along the frames, gated, then one for each channel; added to what it hears."""
        graph = self.graph
        weight = self._get(f"{name}.1.weight")  # (2 hidden, channels, 3)
        hidden = len(weight) // 2
        inner = self._row_norm(f"{name}.0", source, width)
        halves = []
        for half in (slice(0, hidden), slice(hidden, None)):
            taps = weight[half].transpose(1, 2, 0).reshape(width, 3 * hidden)
            bias = np.concatenate([np.zeros(hidden), self._get(f"{name}.1.bias")[half], np.zeros(hidden)])
            found = self.product(inner, taps, bias)
            halves.append(self._shifted([graph.slice(found, 2, tap * hidden, (tap + 1) * hidden) for tap in range(3)]))
        inner = graph.node("Mul", halves[0], graph.node("Sigmoid", halves[1]))
        weight = self._get(f"{name}.3.weight")[:, 0]
        taps_of_each = [graph.node("Mul", inner, graph.weight(weight[:, tap])) for tap in range(3)]
        inner = graph.node("Add", self._shifted(taps_of_each), graph.weight(self._get(f"{name}.3.bias")))
        inner = self._row_norm(f"{name}.4", inner, hidden)
        inner = graph.node("Mul", inner, graph.node("Sigmoid", inner))
        inner = self.product(inner, self._get(f"{name}.6.weight")[:, :, 0].T, self._get(f"{name}.6.bias"))
        return graph.node("Add", source, inner)

    def _shifted(self, taps: Sequence[str]) -> str:
        """The sum of what three taps of a kernel along the frames give for the frame before, this one, the next."""
        graph = self.graph
        before, here, after = taps
        sides = graph.node("Add", graph.pad(before, 3, 1, 1, -1), graph.pad(after, 3, 1, -1, 1))
        return graph.node("Add", sides, here)

    def _row_norm(self, name: str, source: str, width: int) -> str:
        """Normalise each bin over its frames and channels."""
        graph = self.graph
        rows = graph.shape(source, 0, 1, self._frames * width)
        one, zero = graph.constant(np.ones(1, np.float32)), graph.constant(np.zeros(1, np.float32))
        scaled = graph.node("InstanceNormalization", rows, one, zero, epsilon=float(_EPSILON))
        scaled = graph.node(
            "Mul", graph.shape(scaled, 0, self._frames, width), graph.weight(self._get(f"{name}.weight"))
        )
        return graph.node("Add", scaled, graph.weight(self._get(f"{name}.bias")))

    def convolved(self, name: str, source: str) -> str:
        """Convolution with 3 x 3 kernels."""
        graph = self.graph
        planes = graph.node("Unsqueeze", graph.node("Transpose", source, perm=[2, 0, 1]), graph.constant(np.array([0])))
        planes = self._planes_convolved(planes, self._get(f"{name}.weight"), self._get(f"{name}.bias"))
        return self._from_planes(planes)

    def fused(self, name: str, source: str, width: int) -> str:
        """The fusion layer: gated convolution with 3 x 3 kernels of a signal beside itself."""
        graph = self.graph
        weight, bias = self._get(f"{name}.weight"), self._get(f"{name}.bias")
        weight = weight[:, :width] + weight[:, width:]
        planes = graph.node("Unsqueeze", graph.node("Transpose", source, perm=[2, 0, 1]), graph.constant(np.array([0])))
        value = self._planes_convolved(planes, weight[:width], bias[:width])
        gate = self._planes_convolved(planes, weight[width:], bias[width:])
        return self._from_planes(graph.node("Mul", value, graph.node("Sigmoid", gate)))

    def _planes_convolved(self, planes: str, weight: np.ndarray, bias: np.ndarray) -> str:
        ends = self.graph.weight(weight), self.graph.weight(bias)
        return self.graph.node("Conv", planes, *ends, kernel_shape=[3, 3], pads=[1, 1, 1, 1])

    def _from_planes(self, planes: str) -> str:
        flat = self.graph.node("Squeeze", planes, self.graph.constant(np.array([0])))
        return self.graph.node("Transpose", flat, perm=[1, 2, 0])

    def decode(self, name: str, source: str, bands: Sequence[Band], outputs: np.ndarray | None) -> str:
        """Bands apart: more bins, by transposed convolutions; `outputs` chooses some of the channels."""
        graph, start, parts = self.graph, 0, []
        for number, band in enumerate(bands):
            weight = self._get(f"{name}.convtrs.{number}.weight")[:, :, :, 0]  # (inputs, outputs, kernel)
            bias = self._get(f"{name}.convtrs.{number}.bias")
            if outputs is not None:
                weight, bias = weight[:, outputs], bias[outputs]
            part = graph.slice(source, 0, start, start + band.positions)
            start += band.positions
            channels = weight.shape[1]
            matrix = weight.transpose(0, 2, 1).reshape(len(weight), -1)
            if band.stride == 1:
                side = band.kernel // 2
                part = graph.pad(part, 3, 0, side, side)
                # Output p takes tap j from input p + side - j.
                taps = [graph.slice(part, 0, tap, tap + band.positions) for tap in reversed(range(band.kernel))]
                part = graph.node("Concat", *taps, axis=2) if len(taps) > 1 else taps[0]
                matrix = weight.transpose(2, 0, 1).reshape(-1, channels)
                part = self.product(part, matrix, bias)
            else:
                part = self.product(part, matrix, np.tile(bias, band.kernel))
                apart = graph.shape(part, band.positions, self._frames, band.kernel, channels)
                together = graph.node("Transpose", apart, perm=[0, 2, 1, 3])
                part = graph.shape(together, band.positions * band.kernel, self._frames, channels)
                # The original cuts off as much before as after, rounded down.
                cut = (band.positions * band.kernel - band.bins) // 2
                part = graph.slice(part, 0, cut, cut + band.bins)
            parts.append(part)
        return graph.node("Concat", *parts, axis=0)

    def dual_path(self, name: str, source: str, bins: int) -> str:
        """Recurrence along the bins, then along the frames, each forwards and backwards."""
        graph = self.graph
        inner = self._whole_norm(f"{name}.norm_layers.0", source, bins)
        source = graph.node("Add", source, self._recurrent(name, 0, inner, perm=[0, 2, 1, 3]))
        inner = self._whole_norm(f"{name}.norm_layers.1", source, bins)
        inner = graph.node("Transpose", inner, perm=[1, 0, 2])
        return graph.node("Add", source, self._recurrent(name, 1, inner, perm=[2, 0, 1, 3]))

    def _whole_norm(self, name: str, source: str, bins: int) -> str:
        """Normalise over all bins, frames and channels."""
        graph = self.graph
        rows = graph.shape(source, bins, -1)
        mean = self._rows_mean(rows)
        centred = graph.node("Sub", source, mean)
        flat = graph.shape(centred, bins, -1)
        variance = self._rows_mean(graph.node("Mul", flat, flat))
        deviation = graph.node("Sqrt", graph.node("Add", variance, graph.constant(_EPSILON)))
        gain = graph.node("Div", graph.weight(self._get(f"{name}.weight")), deviation)
        return graph.node("Add", graph.node("Mul", centred, gain), graph.weight(self._get(f"{name}.bias")))

    def _rows_mean(self, rows: str) -> str:
        """The mean of a matrix, (1,): of each row first, so that float32 sums stay short."""
        graph = self.graph
        means = graph.node("ReduceMean", rows, graph.constant(np.array([1])), keepdims=0)
        return graph.node("ReduceMean", means, graph.constant(np.array([0])), keepdims=1)

    def _recurrent(self, name: str, path: int, source: str, perm: Sequence[int]) -> str:
        """Long short-term memory along the first axis in both directions, and a product of both, (bins, frames, width).

        The directions are apart, because each holds four times what it gives until it is done. `perm` turns (steps,
        direction, batch, hidden) so that the direction is followed by nothing but what is hidden.
        """
        graph, lstm, linear = self.graph, f"{name}.lstm_layers.{path}", f"{name}.linear_layers.{path}"
        matrix = self._get(f"{linear}.weight").T
        hidden = len(matrix) // 2
        found = []
        for number, (suffix, direction) in enumerate((("", "forward"), ("_reverse", "reverse"))):
            weights = [_gates(self._get(f"{lstm}.weight_{part}_l0{suffix}")) for part in ("ih", "hh")]
            biases = [_gates(self._get(f"{lstm}.bias_{part}_l0{suffix}")) for part in ("ih", "hh")]
            ends = [graph.weight(values[np.newaxis]) for values in (*weights, np.concatenate(biases))]
            part = graph.node("LSTM", source, *ends, hidden_size=hidden, direction=direction)
            part = graph.shape(graph.node("Transpose", part, perm=perm), 0, 0, hidden)
            half = graph.weight(matrix[number * hidden : (number + 1) * hidden])
            found.append(graph.node("MatMul", part, half))
        return graph.node("Add", graph.node("Add", *found), graph.weight(self._get(f"{linear}.bias")))

    def to_frequencies(self, source: str) -> str:
        """Real transform along the frames: its real parts, then its imaginary ones, beside each other as channels."""
        graph, (cosines, sines) = self.graph, _waves(self._frames)
        parts = [graph.node("MatMul", graph.constant(wave), source) for wave in (cosines, -sines)]
        return graph.node("Concat", *parts, axis=2)

    def from_frequencies(self, source: str, width: int) -> str:
        """The inverse."""
        graph, (cosines, sines) = self.graph, _waves(self._frames)
        twice = np.full((len(cosines), 1), 2, np.float32)
        twice[[0, -1]] = 1  # these have no counterpart among the negative frequencies
        parts = [graph.node("MatMul", graph.constant((wave * twice).T), graph.slice(source, 2, begin, begin + width))
                 for wave, begin in ((cosines, 0), (-sines, width))]  # fmt: skip
        return graph.node("Add", *parts)


def _gates(values: np.ndarray) -> np.ndarray:
    """From torch's order of the gates (input, forget, cell, output) to ONNX's (input, output, forget, cell)."""
    first, forget, cell, output = np.split(values, 4)
    return np.concatenate([first, output, forget, cell])


def _waves(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines (frames / 2 + 1, frames) float32 of the orthonormal transform; sines of 0 and pi are 0."""
    turns = np.outer(np.arange(frames // 2 + 1), np.arange(frames)) % frames
    phases = 2 * np.pi * turns / frames
    sines = np.sin(phases)
    sines[[0, -1]] = 0
    return (np.cos(phases) / np.sqrt(frames)).astype(np.float32), (sines / np.sqrt(frames)).astype(np.float32)
