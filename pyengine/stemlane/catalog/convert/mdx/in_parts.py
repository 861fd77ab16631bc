# SPDX-License-Identifier: MIT
"""Makes a network compute its largest signals in parts along the frames, so that few of them are ever there as a whole.

A signal of MDX-Net's first level has 48 channels of 3072 bins and 256 frames, 151 MB, and five of them live at once.
All its layers are local along the frames. So a few frames go through a whole chain of layers at once, with as many
beside them as its convolutions reach, and only what ends a chain is kept: what several chains need, and what the
number of frames changes after. The nodes are those of the original, so the result is the same but for rounding. Where
much is kept for the decoder, the first level's signal is computed anew when it is heard there.

A network of which one node is not known stays as it is: what is wrong with it is for others to say.
"""

import itertools
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from stemlane.catalog.convert.mdx.operators import Interval, Layer, Signal, UnknownNodeError, understand
from stemlane.catalog.convert.onnx_graph import MAPPED, WeightsFile

PART_VALUES = 1 << 21  # of a signal that is computed at once, 8 MiB
_MOST_KEPT_VALUES = 75_000_000  # for chains much later, 300 MB; with more, what is made of the input alone is not kept
_MOST_PARTS, _MOST_NODES, _MOST_NODES_MADE = 64, 2000, 40_000
_WIDEST_HALO = 8  # frames that a chain computes again in each part, both sides together
_OLDEST_OPSET = 9
_SLICE_OF_INPUTS_OPSET = 10  # from here on Slice takes begin and end as inputs
_INPUTS_APART_IR = 4  # the first version of the format in which constants need not be inputs
_MADE = "in parts/"  # what the names of what is added begin with


def in_parts(model: onnx.ModelProto, part_values: int, weights_name: str) -> tuple[onnx.ModelProto, bytes] | None:
    """The same network, with signals in parts of about `part_values`.

    Returns
    -------
    tuple or None
        The network and the content of the file `weights_name` beside it; None if no signal is that large, or a node
        is not known.
    """
    try:
        reader = _Reader(model)
        chains = reader.chains(part_values)
        if all(len(chain.cuts) == 1 for chain in chains):
            return None
        return _Writer(model, chains, reader.same).write(weights_name)
    except UnknownNodeError:
        return None


@dataclass
class _Chain:
    """Layers that are computed together, the last one's signal being kept, and the frames of its parts."""

    layers: list[Layer]
    cuts: list[Interval] = field(default_factory=list)

    @property
    def last(self) -> Layer:
        """The one whose signal is kept."""
        return self.layers[-1]

    @property
    def sources(self) -> set[str]:
        """The kept signals that it hears."""
        return {name for layer in self.layers for name in layer.sources} - {layer.output for layer in self.layers}


class _Reader:
    """Reads a graph of one input and one output, (1, 4, bins, frames)."""

    def __init__(self, model: onnx.ModelProto):
        graph = model.graph
        self._constants = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
        inputs = [tensor for tensor in graph.input if tensor.name not in self._constants]
        opset = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
        if len(inputs) != 1 or len(graph.output) != 1 or len(graph.node) > _MOST_NODES or model.functions:
            raise UnknownNodeError("another form")
        if len(opset) != 1 or opset[0] < _OLDEST_OPSET or graph.sparse_initializer:
            raise UnknownNodeError("another form")
        if len(self._constants) < len(graph.initializer) or any(map(_is_unusable, [inputs[0].name, *self._constants])):
            raise UnknownNodeError("names")
        self._input = inputs[0].name
        self._signals = {self._input: _ends(inputs[0])}
        self.same: dict[str, str] = {}  # constants that are others
        self._output = graph.output[0].name
        self._fresh: set[str] = set()  # signals of another number of frames than those before
        self._layers = [layer for node in graph.node if (layer := self._read(node))]
        if self._signals.get(self._output) != _ends(graph.output[0]):
            raise UnknownNodeError("an output that is another than the graph says")

    def _read(self, node: onnx.NodeProto) -> Layer | None:
        name = node.output[0] if node.output else ""
        if name in self._signals or name in self._constants or _is_unusable(name):
            raise UnknownNodeError(f"a node that gives {name!r}")
        if node.op_type == "Constant" and len(node.attribute) == 1 and node.attribute[0].name == "value":
            self._constants[name] = tuple(node.attribute[0].t.dims)
            return None
        if node.op_type == "Identity" and len(node.input) == 1 and node.input[0] in self._constants:
            self._constants[name] = self._constants[node.input[0]]
            self.same[name] = self.same.get(node.input[0], node.input[0])
            return None
        layer = understand(node, self._signals, self._constants)
        self._signals[name] = layer.result
        if layer.resamples or (not layer.reach and self._fresh.intersection(layer.sources)):
            self._fresh.add(name)
        return layer

    def chains(self, part_values: int) -> list[_Chain]:
        """All chains, in an order in which they can be computed."""
        ends: dict[str, str] = {}  # of each signal the one that its chain ends with
        halos: dict[str, int] = {}
        users: dict[str, list[Layer]] = {}
        chains: dict[str, _Chain] = {}
        for layer in reversed(self._layers):
            name, after = layer.output, users.get(layer.output, [])
            halo = max((halos[user.output] + (user.reach.span if user.reach else 0) for user in after), default=0)
            of_users = {ends[user.output] for user in after}
            is_end = (
                name == self._output or len(of_users) != 1 or halo > _WIDEST_HALO
                or any(user.resamples for user in after)
                or (name in self._fresh and any(user.reach and user.reach.span for user in after))
            )  # fmt: skip
            ends[name] = name if is_end else of_users.pop()
            halos[name] = 0 if is_end else halo
            chains.setdefault(ends[name], _Chain([])).layers.insert(0, layer)
            for source in set(layer.sources):
                users.setdefault(source, []).append(layer)
        found = [chains[layer.output] for layer in self._layers if ends[layer.output] == layer.output]
        for chain in found:
            frames = chain.last.result.frames
            inside = {name for layer in chain.layers for name in (layer.output, *layer.sources)}
            largest = max(self._signals[name].size for name in inside)
            num_parts = max(1, min(2 ** round(math.log2(max(largest / part_values, 1))), frames, _MOST_PARTS))
            chain.cuts = _between([frames * part // num_parts for part in range(num_parts + 1)])
        return self._computed_again(found)

    def _computed_again(self, chains: list[_Chain]) -> list[_Chain]:
        """With chains twice that hear the input alone, where too much would be kept of what several chains hear.

        The second time for the last chain that hears them, in halves of the parts: most is in memory when the decoder
        computes its first one, and of equal ones onnxruntime would compute one and keep it.
        """
        hearers: dict[str, list[_Chain]] = {}
        for chain in chains:
            for name in chain.sources:
                hearers.setdefault(name, []).append(chain)
        of_several = [chain for chain in chains if len(hearers.get(chain.last.output, ())) > 1]
        if sum(chain.last.result.size for chain in of_several) <= _MOST_KEPT_VALUES:
            return chains
        found = list(chains)
        for chain in of_several:
            if chain.sources == {self._input} and len(chain.cuts) > 1:
                halves = [(begin, (begin + end) // 2, end) for begin, end in chain.cuts]
                again = _Chain(chain.layers, _between(sorted({cut for cuts in halves for cut in cuts})))
                found.insert(found.index(hearers[chain.last.output][-1]), again)
        return found


def _between(cuts: list[int]) -> list[Interval]:
    """The parts between cuts."""
    return list(itertools.pairwise(cuts))


def _is_unusable(name: str | bytes) -> bool:
    """Whether a name is one of those that are given here, or none; what is no UTF-8 comes as bytes."""
    return not name or isinstance(name, bytes) or name.startswith((_MADE, MAPPED))


def _ends(tensor: onnx.ValueInfoProto) -> Signal:
    sizes = [size.dim_value for size in tensor.type.tensor_type.shape.dim]
    if len(sizes) != 4 or tensor.type.tensor_type.elem_type != TensorProto.FLOAT:
        raise UnknownNodeError("another form")
    return Signal((1, *sizes[1:]), 3)


def _values(tensor: TensorProto) -> np.ndarray:
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, OSError, onnx.checker.ValidationError) as error:
        raise UnknownNodeError(f"{tensor.name}: {error}") from None


class _Writer:
    """Writes chains part by part; of the constants `same`, each is another."""

    def __init__(self, model: onnx.ModelProto, chains: list[_Chain], same: dict[str, str]):
        self._model, self._chains, self._same = model, chains, same
        opsets = {entry.domain: entry.version for entry in model.opset_import}
        self._opset = opsets.get("", 0) or opsets["ai.onnx"]
        self._constants = {tensor.name for tensor in model.graph.initializer}
        self._nodes: list[onnx.NodeProto] = []
        self._numbers: dict[int, str] = {}
        self._parts: dict[str, list[tuple[str, Interval]]] = {}
        self._count = 0

    def write(self, weights_name: str) -> tuple[onnx.ModelProto, bytes]:
        """The model, and what the file of its weights holds."""
        graph, weights, written = self._model.graph, WeightsFile(weights_name), onnx.ModelProto()
        source = next(tensor for tensor in graph.input if tensor.name not in self._constants)
        self._compute(source)
        written.CopyFrom(self._model)
        made = written.graph
        del made.node[:], made.value_info[:], made.input[:], made.initializer[:]
        made.input.append(source)
        self._store(made, weights)
        made.initializer.extend(
            numpy_helper.from_array(np.array([number], np.int64), name) for number, name in self._numbers.items()
        )
        made.node.extend([node for node in graph.node if node.op_type == "Constant"] + self._nodes)
        written.ir_version = max(written.ir_version, _INPUTS_APART_IR)
        return written, bytes(weights.content)

    def _compute(self, source: onnx.ValueInfoProto) -> None:
        """Add the nodes of all chains, and the output from its parts."""
        self._parts[source.name] = [(source.name, (0, _ends(source).frames))]
        self._axes = {source.name: 3} | {layer.output: layer.result.axis for c in self._chains for layer in c.layers}
        for chain in self._chains:
            self._parts[chain.last.output] = [(self._kept(chain, cut), cut) for cut in chain.cuts]
            if len(self._nodes) > _MOST_NODES_MADE:
                raise UnknownNodeError("too many nodes")
        output = self._model.graph.output[0].name
        if len(parts := self._parts[output]) > 1:
            self._add("Concat", [name for name, _ in parts], output, axis=3)

    def _store(self, made: onnx.GraphProto, weights: WeightsFile) -> None:
        """Add the constants; those in float32 lie in the file, for onnxruntime keeps what it reads from the network's.

        Matrices are mapped: as constants they would be packed anew for the product of each part.
        """
        products = [node for node in self._nodes if node.op_type == "MatMul"]
        matrices = {node.input[1] for node in products} & self._constants
        mapped = {}
        for tensor in self._model.graph.initializer:
            if tensor.data_type != TensorProto.FLOAT:
                made.initializer.append(tensor)
                continue
            stored = weights.add(_values(tensor), None if tensor.name in matrices else tensor.name)
            made.initializer.append(stored)
            if tensor.name in matrices:
                mapped[tensor.name] = stored.name
                made.input.append(helper.make_tensor_value_info(stored.name, TensorProto.FLOAT, stored.dims))
        for node in self._nodes:
            for place, name in enumerate(node.input):
                node.input[place] = mapped.get(name, name)

    def _kept(self, chain: _Chain, cut: Interval) -> str:
        """Compute frames of what ends a chain, to keep them; returns their name.

        They are copied when nothing else of the part is in memory: where they were made, they would lie in the midst
        of it, with gaps around them that the next part, of the same sizes, finds too small.
        """
        part = self._part(chain, cut)
        if len(chain.cuts) == 1:
            return part
        return self._add("Concat", [part], self._name(), axis=self._axes[chain.last.output])

    def _part(self, chain: _Chain, wanted: Interval) -> str:
        """Compute frames of what ends a chain; returns their name."""
        inner = {layer.output for layer in chain.layers}
        last = chain.last
        hulls: dict[str, Interval] = {last.output: wanted}
        for layer in reversed(chain.layers):
            first, end = layer.need(hulls[layer.output])
            for source in layer.sources:
                known = hulls.get(source, (first, end))
                hulls[source] = min(first, known[0]), max(end, known[1])
        names: dict[tuple[str, Interval], str] = {}
        for layer in chain.layers:
            hull = hulls[layer.output]
            need = layer.need(hull)
            for source in layer.sources:
                if (source, need) not in names:
                    parts = [(names[source, hulls[source]], hulls[source])] if source in inner else self._parts[source]
                    names[source, need] = self._window(source, parts, need)
            whole = len(chain.cuts) == 1
            names[layer.output, hull] = self._layer(layer, hull, {s: names[s, need] for s in layer.sources}, whole)
        return names[last.output, wanted]

    def _layer(self, layer: Layer, wanted: Interval, sources: dict[str, str], whole: bool) -> str:
        node = onnx.NodeProto()
        node.CopyFrom(layer.node)
        for place, name in enumerate(layer.node.input):
            node.input[place] = sources.get(name, self._same.get(name, name))
        if not whole:
            node.output[0] = node.name = self._name()
        if layer.reach:
            kept = [attribute for attribute in node.attribute if attribute.name not in ("pads", "auto_pad")]
            del node.attribute[:]
            node.attribute.extend([*kept, helper.make_attribute("pads", layer.pads(wanted))])
        self._nodes.append(node)
        return str(node.output[0])

    def _window(self, signal: str, parts: list[tuple[str, Interval]], wanted: Interval) -> str:
        """Frames of a signal that is there in parts."""
        found, axis = [], self._axes[signal]
        for name, (begin, end) in parts:
            first, last = max(wanted[0], begin), min(wanted[1], end)
            if (first, last) == (begin, end):
                found.append(name)
            elif first < last:
                found.append(self._slice(name, axis, first - begin, last - begin))
        return found[0] if len(found) == 1 else self._add("Concat", found, self._name(), axis=axis)

    def _slice(self, source: str, axis: int, begin: int, end: int) -> str:
        if self._opset < _SLICE_OF_INPUTS_OPSET:
            return self._add("Slice", [source], self._name(), axes=[axis], starts=[begin], ends=[end])
        return self._add("Slice", [source, *(self._number(number) for number in (begin, end, axis))], self._name())

    def _number(self, number: int) -> str:
        if number not in self._numbers:
            self._numbers[number] = self._name()
        return self._numbers[number]

    def _name(self) -> str:
        self._count += 1
        return f"{_MADE}{self._count}"

    def _add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output
