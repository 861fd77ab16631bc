# SPDX-License-Identifier: MIT
"""Looks into untrusted ONNX files without running them: what they refer to, what they do, their inputs and outputs.

onnxruntime folds constants while it loads a file, which runs parts of it. So a file is looked through here first.
"""

from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from stemlane.errors import ModelError, one_line
from stemlane.manifests.model import Manifest
from stemlane.regular_files import read_regular

if TYPE_CHECKING:
    import onnx

HIGHEST_NETWORK_BYTES = (1 << 31) - 1  # of a protocol buffer; more weights lie in a file beside it
Shape = tuple[int | str | None, ...]  # free sizes are names or None
Ends = tuple[dict[str, Shape], dict[str, Shape]]  # inputs and outputs by name
_DOMAINS = ("", "ai.onnx", "com.microsoft")
# With a Loop nothing bounds how long a network computes, whatever it is tried on.
_REFUSED_OPERATORS = ("Loop",)


def network_paths(manifest: Manifest) -> list[str]:
    """Those of a model's files that are networks; the others hold their weights."""
    named = [network.path for network in getattr(manifest.settings, "networks", ())]
    return named or [entry.path for entry in manifest.files[:1]]  # an ensemble has none


def check_networks(manifest: Manifest) -> None:
    """Check every network of a model.

    Raises
    ------
    ModelError
        If one cannot be parsed, refers to a file that the manifest does not list, or holds an operator that cannot be
        allowed.
    """
    listed = {PurePosixPath(entry.path) for entry in manifest.files}
    for path in network_paths(manifest):
        beside = {str(other.relative_to(PurePosixPath(path).parent)) for other in listed
                  if other.is_relative_to(PurePosixPath(path).parent)}  # fmt: skip
        check_network(manifest.folder / path, beside)


def check_network(path: Path, beside: Collection[str] = ()) -> Ends:
    """Check one ONNX file; `beside` are the files it may refer to, as paths from its folder.

    Returns
    -------
    tuple of two dict
        Names and shapes of all inputs and of all outputs; free sizes are names or None.
    """
    try:
        content = read_regular(path, HIGHEST_NETWORK_BYTES)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
    return check_content(content, path, beside)


def check_content(content: bytes, path: Path, beside: Collection[str] = ()) -> Ends:
    """As `check_network`, from the file's content."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.ModelProto.FromString(content)
    except (DecodeError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not an ONNX network, or damaged: {one_line(error)[:200]}") from None
    if not model.graph.node:
        raise ModelError(f"{path}: not an ONNX network: it computes nothing")
    own_domains = {function.domain for function in model.functions}
    for message in _messages(model):
        if isinstance(message, onnx.TensorProto):
            for entry in message.external_data:
                if entry.key == "location" and entry.value not in beside:
                    raise ModelError(f"{path}: refers to the file {entry.value!a}, which is none of the model's")
        elif isinstance(message, onnx.NodeProto):
            if message.op_type in _REFUSED_OPERATORS:
                raise ModelError(f"{path}: holds a {message.op_type}, which may never end; export it unrolled")
            if message.domain not in _DOMAINS and message.domain not in own_domains:
                raise ModelError(f"{path}: holds operators of the domain {message.domain!a}, which are not known")
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = {tensor.name: _shape(tensor) for tensor in model.graph.input if tensor.name not in constants}
    return inputs, {tensor.name: _shape(tensor) for tensor in model.graph.output}


def _messages(message: Any) -> Iterator[Any]:
    """A message and all in it, however deep: subgraphs, functions and attributes hold tensors too."""
    yield message
    for _, value in message.ListFields():
        if hasattr(value, "ListFields"):
            yield from _messages(value)
        elif not isinstance(value, (str, bytes, int, float)) and len(value) and hasattr(value[0], "ListFields"):
            for entry in value:
                yield from _messages(entry)


def _shape(tensor: "onnx.ValueInfoProto") -> Shape:
    return tuple(
        size.dim_value if size.HasField("dim_value") else size.dim_param or None
        for size in tensor.type.tensor_type.shape.dim
    )
