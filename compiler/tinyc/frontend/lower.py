# SPDX-License-Identifier: Apache-2.0
"""From a loaded ONNX model to the IR: shapes made static, constants folded, operators imported."""

from __future__ import annotations

import difflib
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from tinyc.errors import TinycError
from tinyc.frontend import schema
from tinyc.frontend.inputs import MAX_ELEMENTS, Dimensions, dtype_of
from tinyc.frontend.load import read_model, to_array
from tinyc.frontend.strings import labelled, labelled_operands
from tinyc.ir.graph import Editor, Graph, Node, Value
from tinyc.ir.types import Array, DType, Quant, TensorType
from tinyc.ops.registry import IMPORTERS, ShapeError, operator

log = logging.getLogger(__name__)

MAX_CONSTANT = 1 << 24  # elements that folding may make
MIN_OPSET, MAX_OPSET = 1, onnx.defs.onnx_opset_version()
_DOMAINS = {"ai.onnx": ""}


@dataclass(frozen=True)
class Imported:
    """A model in the IR, with what reports say about its file."""

    graph: Graph[Any]
    name: str
    sha256: str
    opsets: dict[str, int]
    notes: tuple[str, ...]
    input_names: tuple[str, ...]  # in the model; in the IR the same unless two values share one
    output_names: tuple[str, ...]
    maps: Mapping[str, tuple[int | str, ...]] = field(default_factory=dict)  # keys of outputs that were maps


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
        return self.constant_value(self.inputs[index])

    def constant_value(self, value: str) -> Array | None:
        return self.lowering.editor.view().value(value).data

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

    def labelled(self, array: Array, labels: Sequence[str]) -> str:
        return labelled(self.lowering.editor, f"{self.name}.const", array, labels)

    def note(self, text: str) -> None:
        self.lowering.notes.append(f"{self.name!r}, {self.op_type}: {text}")

    def as_map(self, output: str, keys: Sequence[int | str]) -> None:
        self.lowering.maps[output] = tuple(keys)

    def dtype(self, onnx_code: int | str) -> DType:
        if isinstance(onnx_code, str):
            known = dict(onnx.TensorProto.DataType.items())
            onnx_code = known.get(onnx_code, onnx.TensorProto.UNDEFINED)
        return dtype_of(onnx_code, f"{self.name!r}, {self.op_type}")

    def fail(self, what: str, hint: str = "") -> TinycError:
        return TinycError(what, node=f"{self.name!r}, {self.op_type}", hint=hint or "export the model again")


@dataclass
class _Lowering:
    editor: Editor
    names: dict[str, str] = field(default_factory=dict)  # ONNX value -> IR value
    position: int = 0
    notes: list[str] = field(default_factory=list)
    maps: dict[str, tuple[int | str, ...]] = field(default_factory=dict)

    def rename(self, old: str, new: str) -> None:
        """Gives an IR value another name, which none has yet."""
        self.editor.rename_values({old: new})
        self.names = {key: new if value == old else value for key, value in self.names.items()}

    def emit(self, stem: str, op: str, attrs: Any, inputs: tuple[str, ...], count: int) -> list[str]:
        """Adds a node, or folds it where all operands are constants."""
        kind = operator(op)
        inputs = labelled_operands(self.editor, kind, inputs)
        view = self.editor.view()
        values = [view.value(i) if i else None for i in inputs]
        types = [v.type if v else None for v in values]
        constants = [v.data if v else None for v in values]
        draft = Node(self.editor.fresh(stem), op, attrs, inputs, (), False, self.position)
        labels = types[0].labels if types and types[0] else None
        inferred = [replace(t, labels=labels) for t in kind.infer(draft, types, constants)]
        for type_ in inferred:
            if type_.elements > MAX_ELEMENTS:
                raise ShapeError(f"a result of shape {list(type_.shape)} is too large")
        if inferred and all(t.elements == 0 for t in inferred):
            arrays = [np.zeros(t.shape, t.dtype.numpy) for t in inferred]
            return [
                self.editor.const(f"{draft.name}.out", a, t) for a, t in zip(arrays, inferred, strict=True)
            ]
        constant = bool(inputs) and all(c is not None for i, c in zip(inputs, constants, strict=True) if i)
        if constant and op != "DequantizeLinear":
            if sum(t.elements for t in inferred) > MAX_CONSTANT:
                raise ShapeError(f"a constant of shape {list(inferred[0].shape)} is too large")
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


def _attribute(attribute: onnx.AttributeProto, where: str) -> Any:
    value: Any = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if attribute.type == onnx.AttributeProto.TENSOR:
        dtype_of(value.data_type, where)
        return to_array(value)
    return list(value) if attribute.type in (onnx.AttributeProto.INTS, onnx.AttributeProto.FLOATS) else value


def import_model(path: Path, dims: Mapping[str, int] | None = None) -> Imported:
    """Loads and lowers a model. `dims` fixes symbolic dimensions by name. Raises TinycError."""
    try:
        model, raw = read_model(path)
        return _lower(model, path.stem, raw, dims or {})
    except UnicodeDecodeError:
        raise TinycError(
            f"{path.name} has a name that is not UTF-8", hint="the file is damaged: export the model again"
        ) from None
    except (MemoryError, RecursionError):
        raise TinycError(
            f"{path.name} is too large or too deep", hint="this is no microcontroller model"
        ) from None


def _lower(model: onnx.ModelProto, stem: str, raw: bytes, dims: Mapping[str, int]) -> Imported:
    proto = model.graph
    opsets = {_DOMAINS.get(o.domain, o.domain): o.version for o in model.opset_import}
    _check_opset(proto, opsets)
    dimensions = Dimensions(dims)
    lowering = _Lowering(Editor(proto.name or "model"))
    if proto.sparse_initializer:
        raise TinycError("sparse initializers are not supported", hint="export with dense weights")
    for tensor in proto.initializer:
        if tensor.name in lowering.names:
            raise TinycError(f"two initializers named {tensor.name!r}", hint="export the model again")
        dtype_of(tensor.data_type, f"tensor {tensor.name!r}")
        array = to_array(tensor)
        type_ = TensorType(DType.of(array), tuple(array.shape))
        lowering.names[tensor.name] = lowering.editor.const(tensor.name, array, type_)
    constants = set(lowering.names)
    inputs = [info for info in proto.input if info.name not in constants]
    dimensions.scan(inputs)
    for info in inputs:
        if info.name in lowering.names or not info.name:
            raise TinycError(
                f"a graph input named {info.name!r}, twice or empty", hint="export the model again"
            )
        name = lowering.editor.set_value(Value(lowering.editor.fresh(info.name), dimensions.type_of(info)))
        lowering.names[info.name] = name
        lowering.editor.inputs += (name,)
    dimensions.check_all_used()
    later = {o for node in proto.node for o in node.output}
    for position, node in enumerate(proto.node):
        lowering.position = position
        _lower_node(lowering, node, opsets, later)
    names = tuple(info.name for info in proto.output)
    _set_outputs(lowering, names)
    for note in (*dimensions.notes, *lowering.notes):
        log.info(note)
    return Imported(
        lowering.editor.done(),
        stem,
        hashlib.sha256(raw).hexdigest(),
        opsets,
        (*dimensions.notes, *lowering.notes),
        tuple(info.name for info in inputs),
        names,
        lowering.maps,
    )


def _check_opset(proto: onnx.GraphProto, opsets: Mapping[str, int]) -> None:
    hint = f"export with an opset from {MIN_OPSET} to {MAX_OPSET}"
    if "" not in opsets:
        if any(_DOMAINS.get(node.domain, node.domain) == "" for node in proto.node):
            raise TinycError("the model does not say which opset of ONNX it uses", hint=hint)
    elif not MIN_OPSET <= opsets[""] <= MAX_OPSET:
        raise TinycError(f"opset {opsets['']} is not supported", hint=hint)


def _set_outputs(lowering: _Lowering, names: Sequence[str]) -> None:
    """Makes the graph's outputs: computed values named as in the model.

    An output that is an input, a constant or another output becomes a copy. Where its name is taken
    (an input is an output under its own name, one output is listed twice) it gets a fresh one.
    """
    editor = lowering.editor
    if not names:
        raise TinycError("the model has no output", hint="export the model again")
    for name in names:
        source = lowering.names.get(name)
        if source is None:
            raise TinycError(f"graph output {name!r} is computed by no node", hint="export the model again")
        view = editor.view()
        copied = source in (*view.inputs, *editor.outputs) or view.value(source).is_const
        reserved = name in view.inputs or name in editor.outputs
        if view.has_value(name) and not reserved and (copied or source != name):
            lowering.rename(name, editor.fresh(f"{name}.value"))
            source, view = lowering.names[name], editor.view()
        if copied:
            free = name if not view.has_value(name) else editor.fresh(name)
            result = editor.set_value(Value(free, replace(view.type(source), quant=None)))
            editor.copy_to(source, result)
        elif view.has_value(name):
            result = source
        else:
            lowering.rename(source, name)
            result = name
        editor.outputs += (result,)


def _lower_node(
    lowering: _Lowering, node: onnx.NodeProto, opsets: Mapping[str, int], later: set[str]
) -> None:
    name = node.name or next((o for o in node.output if o), f"node {lowering.position}")
    domain = _DOMAINS.get(node.domain, node.domain)
    where = f"{name!r}, {node.op_type}"
    for i in node.input:
        if i and i not in lowering.names:
            what = "used before it is computed" if i in later else "computed by no node"
            raise TinycError(
                f"operand {i!r} is {what}",
                node=where,
                hint="the nodes are not in topological order, form a cycle, or are incomplete",
            )
    for o in node.output:
        if o and (o in lowering.names or list(node.output).count(o) > 1):
            raise TinycError(f"value {o!r} is defined twice", node=where, hint="export the model again")
    importer = IMPORTERS.get((domain, node.op_type))
    if importer is None and (domain, node.op_type) != ("", "Constant"):
        raise TinycError(
            f"operator {_qualified(domain, node.op_type)} is not supported",
            node=where,
            hint=_nearby(domain, node.op_type),
        )
    inputs = tuple(lowering.names[i] if i else "" for i in node.input)
    view = lowering.editor.view()
    fault = schema.fault(
        node, domain, opsets.get(domain, 1), [view.type(i).dtype if i else None for i in inputs]
    )
    if fault:
        raise TinycError(fault, node=where, hint="check the model with onnx.checker")
    if importer is None:
        lowering.names[node.output[0]] = _constant(lowering, node, where)
        return
    try:
        attributes = {a.name: _attribute(a, where) for a in node.attribute}
        context = _Context(
            lowering,
            node,
            node.op_type,
            domain,
            opsets.get(domain, 1),
            name,
            inputs,
            tuple(node.output),
            attributes,
        )
        results = importer(context)
    except ShapeError as error:
        raise TinycError(str(error), node=where, hint="check the model with onnx.checker") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, AssertionError) as error:
        raise TinycError(
            f"malformed attributes or operands ({error})",
            node=where,
            hint="check the model with onnx.checker",
        ) from error
    wanted = [o for o in node.output if o]
    if len(results) < len(wanted):
        raise context.fail(f"output {wanted[len(results)]!r} is not supported")
    for output, result in zip(node.output, results, strict=False):
        if output:
            lowering.names[output] = result


def _constant(lowering: _Lowering, node: onnx.NodeProto, where: str) -> str:
    for attribute in node.attribute:
        value: Any = onnx.helper.get_attribute_value(attribute)
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
