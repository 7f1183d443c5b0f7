# SPDX-License-Identifier: Apache-2.0
"""From a loaded ONNX model to the IR: shapes made static, constants folded, operators imported."""

from __future__ import annotations

import difflib
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from tinyc.errors import TinycError
from tinyc.frontend.load import read_model, to_array
from tinyc.ir.graph import Editor, Graph, Node, Value
from tinyc.ir.types import Array, DType, Quant, TensorType
from tinyc.ops.registry import IMPORTERS, ShapeError, operator

log = logging.getLogger(__name__)

MAX_ELEMENTS = 1 << 28
_DTYPES: dict[int, DType] = {
    onnx.TensorProto.FLOAT: DType.FLOAT32,
    onnx.TensorProto.DOUBLE: DType.FLOAT64,
    onnx.TensorProto.FLOAT16: DType.FLOAT16,
    onnx.TensorProto.INT8: DType.INT8,
    onnx.TensorProto.INT16: DType.INT16,
    onnx.TensorProto.INT32: DType.INT32,
    onnx.TensorProto.INT64: DType.INT64,
    onnx.TensorProto.UINT8: DType.UINT8,
    onnx.TensorProto.UINT16: DType.UINT16,
    onnx.TensorProto.UINT32: DType.UINT32,
    onnx.TensorProto.UINT64: DType.UINT64,
    onnx.TensorProto.BOOL: DType.BOOL,
    onnx.TensorProto.STRING: DType.STRING,
}
MIN_OPSET, MAX_OPSET = 7, onnx.defs.onnx_opset_version()
_DOMAINS = {"ai.onnx": ""}


@dataclass(frozen=True)
class Imported:
    """A model in the IR, with what reports say about its file."""

    graph: Graph[Any]
    name: str
    sha256: str
    opsets: dict[str, int]
    notes: tuple[str, ...]


def dtype_of(code: int, where: str) -> DType:
    dtype = _DTYPES.get(code)
    if dtype is None:
        name = onnx.TensorProto.DataType.Name(code) if code in onnx.TensorProto.DataType.values() else code
        raise TinycError(
            f"element type {name} is not supported",
            node=where,
            hint="supported: " + ", ".join(d.label for d in _DTYPES.values()),
        )
    return dtype


@dataclass
class _Context:
    """What an importer sees of one ONNX node (see tinyc.ops.registry.Importing)."""

    lowering: _Lowering
    proto: onnx.NodeProto
    op_type: str
    domain: str
    opset: int
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    count: int = 0

    def has(self, index: int) -> bool:
        return index < len(self.inputs) and self.inputs[index] != ""

    def input(self, index: int) -> str:
        return self.inputs[index] if self.has(index) else ""

    def type(self, index: int) -> TensorType:
        if not self.has(index):
            raise self.fail(f"operand {index} is missing")
        return self.type_of(self.inputs[index])

    def type_of(self, value: str) -> TensorType:
        return self.lowering.editor.view().type(value)

    def constant(self, index: int, what: str) -> Array:
        data = self.constant_or_none(index)
        if data is None:
            raise self.fail(
                f"{what} is not a constant", "export the model with constant shapes and parameters"
            )
        return data

    def constant_or_none(self, index: int) -> Array | None:
        if not self.has(index):
            return None
        return self.lowering.editor.view().value(self.inputs[index]).data

    def const(self, array: Array, quant: Quant | None = None) -> str:
        array = np.asarray(array)
        return self.lowering.editor.const(
            f"{self.name}.const", array, TensorType(DType.of(array), tuple(array.shape), quant)
        )

    def emit(self, op: str, attrs: Any, inputs: Sequence[str], count: int = 1) -> list[str]:
        name = self.name if self.count == 0 else f"{self.name}.{self.count}"
        self.count += 1
        try:
            return self.lowering.emit(name, op, attrs, tuple(inputs), count)
        except ShapeError as error:
            raise self.fail(str(error), "check the model with onnx.checker and shape inference") from None

    def dtype(self, onnx_code: int) -> DType:
        return dtype_of(onnx_code, f"{self.name!r}, {self.op_type}")

    def fail(self, what: str, hint: str = "") -> TinycError:
        return TinycError(what, node=f"{self.name!r}, {self.op_type}", hint=hint or "export the model again")


@dataclass
class _Lowering:
    editor: Editor
    names: dict[str, str] = field(default_factory=dict)  # ONNX value -> IR value
    position: int = 0

    def emit(self, stem: str, op: str, attrs: Any, inputs: tuple[str, ...], count: int) -> list[str]:
        """Adds a node, or folds it where all operands are constants."""
        kind, view = operator(op), self.editor.view()
        values = [view.value(i) if i else None for i in inputs]
        types = [v.type if v else None for v in values]
        constants = [v.data if v else None for v in values]
        draft = Node(self.editor.fresh(stem), op, attrs, inputs, (), False, self.position)
        inferred = kind.infer(draft, types, constants)
        for type_ in inferred:
            if type_.elements > MAX_ELEMENTS:
                raise ShapeError(f"a result of shape {list(type_.shape)} is too large")
        constant = bool(inputs) and all(c is not None for i, c in zip(inputs, constants, strict=True) if i)
        if constant and op != "DequantizeLinear":
            arrays = kind.evaluate(draft, constants, inferred)
            return [
                self.editor.const(f"{draft.name}.out", np.asarray(a), t)
                for a, t in zip(arrays, inferred, strict=True)
            ]
        outputs = tuple(
            self.editor.temp(f"{draft.name}.out{k or ''}", t) for k, t in enumerate(inferred[:count])
        )
        self.editor.add(Node(draft.name, op, attrs, inputs, outputs, False, self.position))
        return list(outputs)


def _attribute(attribute: onnx.AttributeProto) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if attribute.type == onnx.AttributeProto.TENSOR:
        return to_array(value)
    return list(value) if attribute.type in (onnx.AttributeProto.INTS, onnx.AttributeProto.FLOATS) else value


def import_model(path: Path, dims: Mapping[str, int] | None = None) -> Imported:
    """Loads and lowers a model. `dims` fixes symbolic dimensions by name. Raises TinycError."""
    model, raw = read_model(path)
    opsets = {_DOMAINS.get(o.domain, o.domain): o.version for o in model.opset_import}
    opset = opsets.get("", MAX_OPSET)
    if not MIN_OPSET <= opset <= MAX_OPSET:
        raise TinycError(
            f"opset {opset} is not supported", hint=f"export with an opset from {MIN_OPSET} to {MAX_OPSET}"
        )
    proto = model.graph
    notes: list[str] = []
    lowering = _Lowering(Editor(proto.name or "model"))
    constants = {t.name for t in proto.initializer}
    for tensor in proto.initializer:
        dtype_of(tensor.data_type, f"tensor {tensor.name!r}")
        array = to_array(tensor)
        name = lowering.editor.const(tensor.name, array, TensorType(DType.of(array), tuple(array.shape)))
        lowering.names[tensor.name] = name
    used_dims: set[str] = set()
    for info in proto.input:
        if info.name in constants:
            continue
        type_ = _input_type(info, dims or {}, used_dims, notes)
        if info.name in lowering.names:
            raise TinycError(f"two graph inputs named {info.name!r}", hint="export the model again")
        name = lowering.editor.set_value(Value(lowering.editor.fresh(info.name), type_))
        lowering.names[info.name] = name
        lowering.editor.inputs += (name,)
    unknown = sorted(set(dims or {}) - used_dims)
    if unknown:
        raise TinycError(
            f"no symbolic dimension named {', '.join(unknown)}",
            hint="tinyc inspect shows the model's dimensions",
        )
    for position, node in enumerate(proto.node):
        lowering.position = position
        _lower_node(lowering, node, opsets, position)
    outputs = []
    for info in proto.output:
        if info.name not in lowering.names:
            raise TinycError(
                f"graph output {info.name!r} is computed by no node", hint="export the model again"
            )
        outputs.append(lowering.names[info.name])
    if not outputs:
        raise TinycError("the model has no output", hint="export the model again")
    lowering.editor.outputs = tuple(outputs)
    _name_outputs(lowering, [info.name for info in proto.output])
    for note in notes:
        log.info(note)
    return Imported(lowering.editor.done(), path.stem, hashlib.sha256(raw).hexdigest(), opsets, tuple(notes))


def _name_outputs(lowering: _Lowering, names: list[str]) -> None:
    """Gives computed graph outputs the names they have in the model."""
    editor = lowering.editor
    for name, value in zip(names, list(editor.outputs), strict=True):
        view = editor.view()
        if (
            value != name
            and value not in view.inputs
            and not view.value(value).is_const
            and not view.has_value(name)
        ):
            editor.rename_values({value: name})


def _lower_node(lowering: _Lowering, node: onnx.NodeProto, opsets: dict[str, int], position: int) -> None:
    name = node.name or next((o for o in node.output if o), f"node {position}")
    domain = _DOMAINS.get(node.domain, node.domain)
    where = f"{name!r}, {node.op_type}"
    for i in node.input:
        if i and i not in lowering.names:
            raise TinycError(
                f"operand {i!r} is defined nowhere before its use",
                node=where,
                hint="the graph is not in topological order, or is cut off",
            )
    for o in node.output:
        if o and o in lowering.names:
            raise TinycError(f"value {o!r} is defined twice", node=where, hint="export the model again")
    if domain == "" and node.op_type == "Constant":
        lowering.names[node.output[0]] = _constant(lowering, node, where)
        return
    importer = IMPORTERS.get((domain, node.op_type))
    if importer is None:
        raise TinycError(
            f"operator {_qualified(domain, node.op_type)} is not supported",
            node=where,
            hint=_nearby(domain, node.op_type),
        )
    inputs = tuple(lowering.names[i] if i else "" for i in node.input)
    context = _Context(
        lowering,
        node,
        node.op_type,
        domain,
        opsets.get(domain, 1),
        name,
        inputs,
        tuple(node.output),
        {a.name: _attribute(a) for a in node.attribute},
    )
    try:
        results = importer(context)
    except ShapeError as error:
        raise context.fail(str(error)) from None
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise context.fail(
            f"malformed attributes or operands ({error})", "check the model with onnx.checker"
        ) from error
    wanted = [o for o in node.output if o]
    if len(results) < len(wanted):
        raise context.fail(f"output {wanted[len(results)]!r} is not supported")
    for output, result in zip(node.output, results, strict=False):
        if output:
            lowering.names[output] = result


def _constant(lowering: _Lowering, node: onnx.NodeProto, where: str) -> str:
    for attribute in node.attribute:
        value = onnx.helper.get_attribute_value(attribute)
        if attribute.name == "value":
            dtype_of(value.data_type, where)
            array = to_array(value)
        elif attribute.name in ("value_float", "value_floats"):
            array = np.array(value, np.float32)
        elif attribute.name in ("value_int", "value_ints"):
            array = np.array(value, np.int64)
        else:
            continue
        stem = node.output[0]
        return lowering.editor.const(stem, array, TensorType(DType.of(array), tuple(array.shape)))
    raise TinycError("a Constant without a supported value", node=where, hint="export the model again")


def _qualified(domain: str, op_type: str) -> str:
    return f"{domain}.{op_type}" if domain else op_type


def _nearby(domain: str, op_type: str) -> str:
    names = sorted({_qualified(d, o) for d, o in IMPORTERS})
    close = difflib.get_close_matches(_qualified(domain, op_type), names, 4, 0.5)
    return (f"supported nearby: {', '.join(close)}; " if close else "") + "tinyc ops lists what is supported"


def _input_type(
    info: onnx.ValueInfoProto, dims: Mapping[str, int], used: set[str], notes: list[str]
) -> TensorType:
    where = f"graph input {info.name!r}"
    if not info.type.HasField("tensor_type") or not info.type.tensor_type.HasField("shape"):
        raise TinycError("not a tensor of known rank", node=where, hint="export the model with static shapes")
    tensor = info.type.tensor_type
    shape: list[int] = []
    for axis, dim in enumerate(tensor.shape.dim):
        if dim.dim_param and dim.dim_param in dims:
            used.add(dim.dim_param)
            size = dims[dim.dim_param]
        elif dim.HasField("dim_value"):
            size = dim.dim_value
        elif axis == 0:
            size = 1
            notes.append(f"{where}: batch dimension {dim.dim_param or '?'} fixed to 1")
        else:
            label = dim.dim_param or "?"
            raise TinycError(
                f"dimension {axis} ({label}) is not static",
                node=where,
                hint=f"--dim {label}=SIZE fixes it" if dim.dim_param else "export with static shapes",
            )
        if not 0 < size <= MAX_ELEMENTS:
            raise TinycError(f"dimension {axis} is {size}", node=where, hint="dimensions must be positive")
        shape.append(size)
    type_ = TensorType(dtype_of(tensor.elem_type, where), tuple(shape))
    if type_.elements > MAX_ELEMENTS:
        raise TinycError(f"shape {shape} is too large", node=where, hint="this is no microcontroller model")
    return type_
