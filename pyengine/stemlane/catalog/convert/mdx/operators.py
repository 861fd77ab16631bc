# SPDX-License-Identifier: MIT
"""What operators of MDX-Net do along the frames: the shape of what they give, which frames of a source they need."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import onnx
from onnx import AttributeProto

Interval = tuple[int, int]  # frames begin to end
_POINTWISE = (
    "Abs", "Clip", "Elu", "Erf", "Exp", "Gelu", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Log", "Mish",
    "Neg", "Relu", "Selu", "Sigmoid", "Softplus", "Softsign", "Sqrt", "Tanh",
)  # fmt: skip
_BROADCAST = ("Add", "Div", "Mul", "PRelu", "Sub")
_LONGEST, _MOST_VALUES = 1 << 16, 1 << 40  # kernels, steps and padding; a signal: what comes of them stays countable


class UnknownNodeError(Exception):
    """A node that may do something else along the frames than this module knows."""


@dataclass(frozen=True)
class Signal:
    """A tensor of four axes, the batch, which is one, first; `axis` is that of the frames."""

    shape: tuple[int, ...]
    axis: int

    def __post_init__(self) -> None:
        if min(self.shape) < 1 or self.size > _MOST_VALUES:
            raise UnknownNodeError(f"a signal of {self.shape}")

    @property
    def frames(self) -> int:
        """How many."""
        return self.shape[self.axis]

    @property
    def size(self) -> int:
        """How many values."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Reach:
    """How a convolution goes along the frames.

    `length` are those of its source; `place` is theirs among the kernel's two axes, `other_pads` lie along the other.
    """

    kernel: int
    stride: int
    dilation: int
    pads: Interval
    transposed: bool
    length: int
    place: int
    other_pads: Interval

    @property
    def span(self) -> int:
        """Frames from the first to the last that the kernel touches, beyond one."""
        return (self.kernel - 1) * self.dilation


@dataclass(frozen=True)
class Layer:
    """A node that is understood; `sources` are those of its inputs that are signals, the others are constants."""

    node: onnx.NodeProto
    sources: tuple[str, ...]
    result: Signal
    reach: Reach | None = None

    @property
    def output(self) -> str:
        """Name of the signal it gives."""
        return str(self.node.output[0])

    @property
    def resamples(self) -> bool:
        """Whether it gives another number of frames for each of its source."""
        return self.reach is not None and (self.reach.stride > 1 or self.reach.transposed)

    def need(self, wanted: Interval) -> Interval:
        """The frames of each source that are needed for those of the result."""
        reach = self.reach
        if reach is None:
            return wanted
        begin, end, (before, _) = *wanted, reach.pads
        if reach.transposed:
            first = -((reach.span - begin - before) // reach.stride)
            last = (end - 1 + before) // reach.stride + 1
        else:
            first = begin * reach.stride - before
            last = (end - 1) * reach.stride - before + reach.span + 1
        first, last = max(first, 0), min(last, reach.length)
        if first >= last:
            raise UnknownNodeError(f"{self.node.op_type}: frames that no frame of its source reaches")
        return first, last

    def pads(self, wanted: Interval) -> list[int]:
        """ONNX's `pads` of the convolution of `need(wanted)` that gives just `wanted`; empty for another layer."""
        reach = self.reach
        if reach is None:
            return []
        begin, end, (before, _), (first, last) = *wanted, reach.pads, self.need(wanted)
        if reach.transposed:
            left = begin + before - first * reach.stride
            right = (last - first - 1) * reach.stride + reach.span + 1 - left - (end - begin)
        else:
            left = first - (begin * reach.stride - before)
            right = (end - 1) * reach.stride - before + reach.span + 1 - last
        if left < 0 or right < 0:
            raise UnknownNodeError(f"{self.node.op_type}: frames that no frame of its source reaches")
        sides = [(left, right), reach.other_pads] if reach.place == 0 else [reach.other_pads, (left, right)]
        return [sides[axis][side] for side in range(2) for axis in range(2)]


def understand(node: onnx.NodeProto, signals: Mapping[str, Signal], constants: Mapping[str, tuple[int, ...]]) -> Layer:
    """The layer of a node, from the signals and the shapes of constants so far.

    Raises
    ------
    UnknownNodeError
        If frames of what it gives may need others than `Layer.need` says, or it fits its inputs in no known way.
    """
    name, inputs = node.op_type, list(node.input)
    sources = tuple(name for name in inputs if name in signals)
    given = [signals[name] for name in sources]
    known = all(name in signals or name in constants or not name for name in inputs)
    if node.domain not in ("", "ai.onnx") or len(node.output) != 1 or not known or not sources or inputs[0] == "":
        raise UnknownNodeError(name)
    if name in _BROADCAST and len(inputs) == 2 and inputs[1]:
        return Layer(node, sources, _broadcast([signals.get(name) or constants[name] for name in inputs], given))
    if name == "Concat":
        return Layer(node, sources, _beside(node, given))
    if len(sources) != 1 or sources[0] != inputs[0]:
        raise UnknownNodeError(name)
    source, weights = given[0], constants.get(inputs[1], ()) if len(inputs) > 1 else ()
    if name in _POINTWISE:
        return Layer(node, sources, source)
    if name == "BatchNormalization" and source.axis != 1 and not _integer(node, "training_mode", 0):
        return Layer(node, sources, source)
    if name == "Transpose":
        order = _integers(node, "perm", (3, 2, 1, 0))
        if sorted(order) != [0, 1, 2, 3] or order[0]:
            raise UnknownNodeError(name)
        return Layer(node, sources, Signal(tuple(source.shape[place] for place in order), order.index(source.axis)))
    if name == "MatMul" and source.axis != 3 and len(weights) == 2 and weights[0] == source.shape[3]:
        return Layer(node, sources, Signal((*source.shape[:3], weights[1]), source.axis))
    if name in ("Conv", "ConvTranspose") and source.axis > 1 and len(weights) == 4:
        return _convolution(node, source, weights)
    raise UnknownNodeError(name)


def _integers(node: onnx.NodeProto, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
    """An attribute of as many numbers as its default."""
    found = [attribute for attribute in node.attribute if attribute.name == name]
    if not found:
        return default
    if len(found) > 1 or found[0].type != AttributeProto.INTS or len(found[0].ints) != len(default):
        raise UnknownNodeError(f"{node.op_type}: {name}")
    return tuple(found[0].ints)


def _integer(node: onnx.NodeProto, name: str, default: int) -> int:
    found = [attribute for attribute in node.attribute if attribute.name == name]
    if len(found) > 1 or (found and found[0].type != AttributeProto.INT):
        raise UnknownNodeError(f"{node.op_type}: {name}")
    return int(found[0].i) if found else default


def _broadcast(operands: Sequence[Signal | tuple[int, ...]], given: Sequence[Signal]) -> Signal:
    axis, frames = given[0].axis, given[0].frames
    shapes = []
    for operand in operands:
        if isinstance(operand, Signal):
            if (operand.axis, operand.frames) != (axis, frames):
                raise UnknownNodeError("signals whose frames differ")
            shapes.append(operand.shape)
        else:
            shape = (1,) * (4 - len(operand)) + operand
            if len(shape) != 4 or shape[0] != 1 or shape[axis] != 1:
                raise UnknownNodeError("a constant that has frames")
            shapes.append(shape)
    sizes = []
    for pair in zip(*shapes, strict=True):
        if min(pair) < 1 or len(set(pair) - {1}) > 1:
            raise UnknownNodeError("shapes that do not fit")
        sizes.append(max(pair))
    return Signal(tuple(sizes), axis)


def _beside(node: onnx.NodeProto, given: Sequence[Signal]) -> Signal:
    axis = _integer(node, "axis", 0)
    axis += 4 if axis < 0 else 0
    first = given[0]
    rest = {(*source.shape[:axis], *source.shape[axis + 1 :], source.axis) for source in given}
    if len(given) != len(node.input) or axis not in (1, 2, 3) or axis == first.axis or len(rest) != 1:
        raise UnknownNodeError("Concat")
    sizes = list(first.shape)
    sizes[axis] = sum(source.shape[axis] for source in given)
    return Signal(tuple(sizes), first.axis)


def _convolution(node: onnx.NodeProto, source: Signal, kernel: tuple[int, ...]) -> Layer:
    transposed, groups = node.op_type == "ConvTranspose", _integer(node, "group", 1)
    strides, dilations = (_integers(node, name, (1, 1)) for name in ("strides", "dilations"))
    pads, more = _integers(node, "pads", (0, 0, 0, 0)), _integers(node, "output_padding", (0, 0))
    channels, inputs = (kernel[1] * groups, kernel[0]) if transposed else (kernel[0], kernel[1] * groups)
    steps = (*strides, *dilations, *kernel, groups)
    if (
        any(attribute.name in ("auto_pad", "output_shape") and attribute.s != b"NOTSET" for attribute in node.attribute)
        or inputs != source.shape[1] or _integers(node, "kernel_shape", kernel[2:]) != kernel[2:]
        or min(*steps) < 1 or min(*pads, *more) < 0 or max(*steps, *pads, *more) > _LONGEST
    ):  # fmt: skip
        raise UnknownNodeError(node.op_type)
    place, sizes = source.axis - 2, [1, channels]
    for axis in range(2):
        span, size = (kernel[2 + axis] - 1) * dilations[axis], source.shape[2 + axis]
        padded = pads[axis] + pads[2 + axis]
        if transposed:
            sizes.append((size - 1) * strides[axis] + span + 1 - padded + more[axis])
        else:
            sizes.append((size + padded - span - 1) // strides[axis] + 1)
    reach = Reach(
        kernel[2 + place], strides[place], dilations[place], (pads[place], pads[2 + place]), transposed,
        source.frames, place, (pads[1 - place], pads[3 - place]),
    )  # fmt: skip
    if transposed and (more[place] or reach.span + 1 < reach.stride):
        raise UnknownNodeError(node.op_type)
    return Layer(node, (str(node.input[0]),), Signal(tuple(sizes), source.axis), reach)
