# SPDX-License-Identifier: MIT
"""Builds an ONNX graph node by node, all in one model or its large weights in a file beside it, for others to share."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

_IR_VERSIONS = {17: 8, 20: 9}  # the file format's, by operator set; 20 is the first with Gelu
_ALIGNMENT_BYTES = 4096  # so that the weights can be mapped into memory
_MANY_VALUES = 1 << 16  # of a weight that is worth an operator of its own
MAPPED = "weights@"  # and where in the file it begins: the name of a weight that is never copied into memory


Ends = Mapping[str, Sequence[int | str]]  # names and sizes; a name among the sizes is a free one


class GraphBuilder:
    """Collects nodes, constants and shared weights.

    Parameters
    ----------
    opset
        Version of ONNX's operators: 17 or 20.
    """

    def __init__(self, opset: int = 20):
        self._opset = opset
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[TensorProto] = []
        self._known: dict[tuple[object, ...], str] = {}
        self._weights: list[tuple[str, np.ndarray]] = []
        self._weights_end = 0  # of the file

    def node(self, operator: str, *inputs: str, output: str | None = None, domain: str = "", **attributes: Any) -> str:
        """Add a node of one output; returns the output's name."""
        name = output or f"{operator.lower()}{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], domain=domain, **attributes))
        return name

    def nodes(self, operator: str, *inputs: str, num_outputs: int, **attributes: Any) -> list[str]:
        """Add a node of several outputs; returns their names."""
        names = [f"{operator.lower()}{len(self._nodes)}.{number}" for number in range(num_outputs)]
        self._nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return names

    def constant(self, value: npt.ArrayLike) -> str:
        """A constant that lies in the graph itself; equal ones are stored once."""
        values = np.ascontiguousarray(value)
        key = (values.dtype.str, values.shape, hashlib.sha256(values.tobytes()).digest())
        if key not in self._known:
            self._known[key] = f"constant{len(self._constants)}"
            self._constants.append(numpy_helper.from_array(values, self._known[key]))
        return self._known[key]

    def weight(self, value: np.ndarray, *, mapped: bool = False) -> str:
        """Weights, as float32 to the graph, stored in the file beside it; equal ones once.

        Large ones that are whole in half precision, as many networks are published, are stored so. These, and those
        that are to be `mapped`, are never copied into memory: see `stemlane.engine.mapped_weights`.
        """
        values = np.ascontiguousarray(value, np.float32)
        key = (values.shape, hashlib.sha256(values.tobytes()).digest())
        if key not in self._known:
            halves = _halves(values) if values.size >= _MANY_VALUES else None
            stored = values if halves is None else halves
            start = self._weights_end + -self._weights_end % _ALIGNMENT_BYTES
            self._weights_end = start + stored.nbytes
            is_mapped = halves is not None or (mapped and values.size >= _MANY_VALUES)
            name = f"{MAPPED}{start}" if is_mapped else f"weight{len(self._weights)}"
            self._weights.append((name, stored))
            self._known[key] = name if halves is None else self.node("Cast", name, to=TensorProto.FLOAT)
        return self._known[key]

    def shape(self, source: str, *sizes: int, output: str | None = None) -> str:
        """`source` in another shape of as many values."""
        return self.node("Reshape", source, self.constant(np.array(sizes)), output=output)

    def slice(self, source: str, axis: int, start: int, end: int) -> str:
        """Positions start to end of one axis."""
        return self.node("Slice", source, *(self.constant(np.array([number])) for number in (start, end, axis)))

    def pad(self, source: str, rank: int, axis: int, before: int, after: int) -> str:
        """Zeros before and after along one axis; negative numbers take away."""
        pads = np.zeros((2, rank), np.int64)
        pads[:, axis] = before, after
        return self.node("Pad", source, self.constant(pads.reshape(-1)))

    def mean(self, source: str, *axes: int) -> str:
        """Mean over axes, which stay with size one; added up in float64, because float32 loses what can be measured."""
        exact = self.node("Cast", source, to=TensorProto.DOUBLE)
        mean = self.node("ReduceMean", exact, self.constant(np.array(axes)), keepdims=1)
        return self.node("Cast", mean, to=TensorProto.FLOAT)

    def model(self, name: str, inputs: Ends, outputs: Ends) -> onnx.ModelProto:
        """The model with all its constants, checked; a name among the sizes is a free one. It must have no `weight`."""
        model = self._model(name, inputs, outputs)
        onnx.checker.check_model(model)
        return model

    def save(self, folder: Path, name: str, inputs: Ends, outputs: Ends) -> tuple[Path, Path]:
        """Write `folder`/<name>.onnx and `folder`/<name>.weights; returns their paths."""
        graph_path, weights_path = folder / f"{name}.onnx", folder / f"{name}.weights"
        with weights_path.open("wb") as file:
            for label, values in self._weights:
                file.write(bytes(-file.tell() % _ALIGNMENT_BYTES))
                self._constants.append(_outside(label, values, weights_path.name, file.tell()))
                file.write(values.tobytes())
        graph_path.write_bytes(self._model(name, inputs, outputs).SerializeToString())
        return graph_path, weights_path

    def _model(self, name: str, inputs: Ends, outputs: Ends) -> onnx.ModelProto:
        given, made = (
            [helper.make_tensor_value_info(label, TensorProto.FLOAT, list(sizes)) for label, sizes in end.items()]
            for end in (inputs, outputs)
        )
        # A constant is packed for products, or turned into float32, while the network is loaded, and that copy is
        # kept. The default of an input is none.
        given += [
            helper.make_tensor_value_info(label, helper.np_dtype_to_tensor_dtype(values.dtype), list(values.shape))
            for label, values in self._weights
            if label.startswith(MAPPED)
        ]
        graph = helper.make_graph(self._nodes, name, given, made, self._constants)
        domains = {"": self._opset} | {node.domain: 1 for node in self._nodes if node.domain}
        opsets = [helper.make_opsetid(domain, version) for domain, version in domains.items()]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSIONS[self._opset])
        model.producer_name = "stemlane"
        return model


class WeightsFile:
    """What the file of weights beside a network holds."""

    def __init__(self, name: str):
        self._name, self.content = name, bytearray()

    def add(self, values: np.ndarray, name: str | None = None) -> TensorProto:
        """Add float32 weights; returns a tensor that refers to them.

        Without a name it gets that of an input which is never copied into memory, see `stemlane.engine.mapped_weights`.
        """
        self.content += bytes(-len(self.content) % _ALIGNMENT_BYTES)
        start = len(self.content)
        self.content += np.ascontiguousarray(values, np.float32).tobytes()
        return _outside(name or f"{MAPPED}{start}", values, self._name, start)


def _halves(values: np.ndarray) -> np.ndarray | None:
    """The values in half precision, None where one of them changes."""
    with np.errstate(over="ignore"):
        halves = values.astype(np.float16)
    return halves if np.array_equal(halves, values) else None


def _outside(name: str, values: np.ndarray, location: str, offset: int) -> onnx.TensorProto:
    """A tensor whose values lie in another file."""
    kind = TensorProto.FLOAT16 if values.dtype == np.float16 else TensorProto.FLOAT
    tensor = TensorProto(name=name, data_type=kind, dims=values.shape)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", values.nbytes)):
        tensor.external_data.add(key=key, value=str(value))
    return tensor
