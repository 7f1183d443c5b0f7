# SPDX-License-Identifier: Apache-2.0
"""Reading a model file that is not trusted.

Nothing outside the model's folder is opened, and no size in the file is believed before it is
checked against what is there.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import onnx
from onnx import numpy_helper

from tinyc.errors import TinycError
from tinyc.ir.types import Array

MAX_MODEL_BYTES = 1 << 30


def read_model(path: Path) -> tuple[onnx.ModelProto, bytes]:
    """The parsed and checked model, and the file's bytes. Raises TinycError."""
    try:
        if path.is_dir():
            raise TinycError(f"{path.name} is a folder", hint="name the .onnx file inside it")
        if not path.exists():
            raise TinycError(f"no file {path}", hint="check the path")
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise TinycError(f"{path.name} is larger than 1 GiB", hint="this is no microcontroller model")
        raw = path.read_bytes()
    except (OSError, ValueError) as error:
        raise TinycError(f"cannot read {path}: {error}", hint="check its name and permissions") from None
    if not raw:
        raise TinycError(f"{path.name} is empty", hint="export the model again")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(raw)
    except Exception:
        raise TinycError(
            f"{path.name} is not an ONNX model, or is truncated",
            hint="export the model again, or convert it to ONNX first",
        ) from None
    if not model.HasField("graph") or not model.opset_import:
        raise TinycError(
            f"{path.name} is not an ONNX model (no graph or no opset)",
            hint="export the model again, or convert it to ONNX first",
        )
    if not all(isinstance(name, str) for name in _names(model)):
        raise TinycError(
            f"{path.name} has a name that is not UTF-8", hint="the file is damaged: export the model again"
        )
    for tensor in (*_tensors(model.graph), *(t for f in model.functions for t in _node_tensors(f.node))):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            _load_external(tensor, path.parent)
        _check_size(tensor)
    return model, raw


def with_inputs(path: Path, names: Sequence[str]) -> bytes:
    """The model with these constants as inputs that may be given another value, for onnxruntime."""
    model, _ = read_model(path)
    known = {info.name for info in model.graph.input}
    for tensor in model.graph.initializer:
        if tensor.name in names and tensor.name not in known:
            model.graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            )
    return bytes(model.SerializeToString())


def _names(model: onnx.ModelProto) -> Iterator[str | bytes]:
    """Every string that tinyc reads; protobuf gives bytes where one is not UTF-8."""
    graph = model.graph
    yield graph.name
    yield from (opset.domain for opset in model.opset_import)
    yield from (tensor.name for tensor in graph.initializer)
    for info in (*graph.input, *graph.output):
        yield info.name
        yield from (dim.dim_param for dim in info.type.tensor_type.shape.dim)
    for info in graph.value_info:
        yield info.name
    yield from _node_names(graph.node)
    for function in model.functions:
        yield from (function.name, function.domain, *function.input, *function.output, *function.attribute)
        yield from (opset.domain for opset in function.opset_import)
        yield from _node_names(function.node)


def _node_names(nodes: Iterable[onnx.NodeProto]) -> Iterator[str | bytes]:
    """Every string of nodes and their subgraphs."""
    for node in nodes:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        for attribute in node.attribute:
            yield from (attribute.name, attribute.ref_attr_name)
            for graph in ([attribute.g] if attribute.HasField("g") else attribute.graphs):
                yield from (tensor.name for tensor in graph.initializer)
                yield from (info.name for info in (*graph.input, *graph.output))
                yield from _node_names(graph.node)


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Every tensor of the graph and its subgraphs."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield sparse.values
        yield sparse.indices
    yield from _node_tensors(graph.node)


def _node_tensors(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.TensorProto]:
    """Every tensor in the attributes of nodes and in their subgraphs."""
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            if attribute.HasField("g"):
                yield from _tensors(attribute.g)
            for subgraph in attribute.graphs:
                yield from _tensors(subgraph)


def _load_external(tensor: onnx.TensorProto, folder: Path) -> None:
    """Reads a tensor's external data into it, from a plain file inside the model's folder only."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    where = f"tensor {tensor.name!r}"
    hint = "external data must be a file in the model's folder"
    if not location or "\0" in location or os.path.isabs(location) or "\\" in location:
        raise TinycError(f"external data at {location!r}", node=where, hint=hint)
    root = folder.resolve()
    target = (root / location).resolve()
    if not target.is_relative_to(root) or ".." in Path(location).parts:
        raise TinycError(f"external data {location!r} lies outside the model's folder", node=where, hint=hint)
    part = root
    for name in Path(location).parts:
        part = part / name
        if part.is_symlink():
            raise TinycError(f"external data {location!r} is a symbolic link", node=where, hint=hint)
    if not target.is_file():
        raise TinycError(
            f"external data {location!r} is missing", node=where, hint="keep it beside the model"
        )
    try:
        offset, length = int(entries.get("offset", 0)), int(entries.get("length", -1))
    except ValueError:
        raise TinycError("external data with a malformed offset or length", node=where, hint=hint) from None
    size = target.stat().st_size
    length = size - offset if length == -1 else length
    if offset < 0 or length < 0 or offset + length > size:
        raise TinycError(
            f"external data of {length} bytes at {offset} exceeds {location!r} ({size} bytes)",
            node=where,
            hint="export the model again",
        )
    with target.open("rb") as file:
        file.seek(offset)
        tensor.raw_data = file.read(length)
    tensor.data_location = onnx.TensorProto.DEFAULT
    del tensor.external_data[:]


def _check_size(tensor: onnx.TensorProto) -> None:
    """Raises TinycError unless the tensor's data is as long as its shape and type say."""
    where = f"tensor {tensor.name!r}"
    if any(d < 0 for d in tensor.dims) or math.prod(tensor.dims) > MAX_MODEL_BYTES:
        raise TinycError(
            f"a constant of shape {list(tensor.dims)}", node=where, hint="export the model again"
        )
    known = set(onnx.TensorProto.DataType.values()) - {onnx.TensorProto.UNDEFINED}
    if tensor.data_type not in known:
        raise TinycError(f"a constant of unknown type {tensor.data_type}", node=where, hint="export again")
    if tensor.data_type == onnx.TensorProto.STRING:
        count, want = len(tensor.string_data), math.prod(tensor.dims)
        if count != want:
            raise TinycError(
                f"{count} strings for a shape of {want}", node=where, hint="export the model again"
            )
        return
    try:
        array = numpy_helper.to_array(tensor)
    except Exception:
        raise TinycError(
            f"a constant whose data does not fit its shape {list(tensor.dims)}",
            node=where,
            hint="export the model again",
        ) from None
    if tuple(array.shape) != tuple(tensor.dims):
        raise TinycError(
            f"a constant whose data does not fit its shape {list(tensor.dims)}",
            node=where,
            hint="export the model again",
        )


def to_array(tensor: onnx.TensorProto) -> Array:
    """The tensor as a NumPy array, in native byte order, without sharing its memory."""
    array: Array = numpy_helper.to_array(tensor)
    return array.copy()
