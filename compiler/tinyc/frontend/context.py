# SPDX-License-Identifier: Apache-2.0
"""What importers see of a node (Context), and what all nodes of a model share (Lowering)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx

from tinyc.errors import TinycError
from tinyc.frontend.inputs import MAX_ELEMENTS, dtype_of
from tinyc.frontend.load import to_array
from tinyc.frontend.strings import labelled_operands
from tinyc.ir.graph import Editor, Node
from tinyc.ir.types import Array, DType, Quant, TensorType
from tinyc.ops.registry import ShapeError, operator

MAX_CONSTANT = 1 << 24  # elements that folding may make
MAX_NODES = 200_000  # ONNX nodes, those of inlined functions and unrolled loops included


@dataclass
class Context:
    """What an importer sees of one ONNX node (see tinyc.ops.registry.Importing)."""

    lowering: Lowering
    proto: onnx.NodeProto
    op_type: str
    domain: str
    opset: int
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    shapes: Callable[[str], tuple[int, ...] | None] = lambda _output: None
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

    def declared(self, index: int) -> tuple[int, ...]:
        shape = self.shapes(self.outputs[index]) if self.outputs[index] else None
        if shape is None:
            raise self.fail("an operand that the result's shape depends on is not a constant",
                            "make it a constant, or state the static shape of the result in the model")
        return shape

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

    def with_labels(self, value: str, labels: Sequence[str] | None) -> str:
        known = self.lowering.editor.view().value(value)
        own = None if labels is None else tuple(labels)
        return self.lowering.editor.set_value(replace(known, type=replace(known.type, labels=own)))

    def note(self, text: str) -> None:
        self.lowering.notes.append(f"{self.name!r}, {self.op_type}: {text}")

    def as_map(self, output: str, keys: Sequence[int | str]) -> None:
        self.lowering.maps[output] = tuple(keys)

    def dtype(self, onnx_code: int | str) -> DType:
        if isinstance(onnx_code, str):
            onnx_code = dict(onnx.TensorProto.DataType.items()).get(onnx_code, onnx.TensorProto.UNDEFINED)
        return dtype_of(int(onnx_code), f"{self.name!r}, {self.op_type}")

    def fail(self, what: str, hint: str = "") -> TinycError:
        return TinycError(what, node=f"{self.name!r}, {self.op_type}", hint=hint or "export the model again")


@dataclass
class Lowering:
    """What all scopes of a model share: the graph that grows, notes, the model's own functions."""

    editor: Editor
    position: int = 0
    notes: list[str] = field(default_factory=list)
    maps: dict[str, tuple[int | str, ...]] = field(default_factory=dict)
    functions: dict[tuple[str, str], onnx.FunctionProto] = field(default_factory=dict)
    counted: list[int] = field(default_factory=lambda: [0])  # ONNX nodes so far, shared by the graphs of loops

    def count(self) -> None:
        """Takes note of one more ONNX node. Raises TinycError where functions and loops make too many."""
        self.position += 1
        self.counted[0] += 1
        if self.counted[0] > MAX_NODES:
            raise TinycError(f"more than {MAX_NODES} nodes behind functions and unrolled loops",
                             hint="this is no microcontroller model")

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
        if any(t.dtype is DType.INT4 for t in inferred):
            raise ShapeError("results of int4 that are not constant are not supported")
        outputs = tuple(
            self.editor.temp(f"{draft.name}.out{k or ''}", t) for k, t in enumerate(inferred[:count])
        )
        self.editor.add(Node(draft.name, op, attrs, inputs, outputs, False, self.position))
        return list(outputs)


def attribute_value(attribute: onnx.AttributeProto, where: str) -> Any:
    value: Any = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if attribute.type == onnx.AttributeProto.TENSOR:
        dtype_of(value.data_type, where)
        return to_array(value)
    return list(value) if attribute.type in (onnx.AttributeProto.INTS, onnx.AttributeProto.FLOATS) else value


def constant(lowering: Lowering, node: onnx.NodeProto, stem: str, where: str) -> str:
    for attribute in node.attribute:
        value: Any = onnx.helper.get_attribute_value(attribute)
        if attribute.name == "value":
            dtype_of(value.data_type, where)
            array = to_array(value)
        elif attribute.name in ("value_float", "value_floats"):
            array = np.array(value, np.float32)
        elif attribute.name in ("value_string", "value_strings"):
            array = np.array([v.decode(errors="replace") for v in value] if isinstance(value, list) else value.decode(
                errors="replace"), object)
        elif attribute.name in ("value_int", "value_ints"):
            array = np.array(value, np.int64)
        else:
            continue
        return lowering.editor.const(stem, array, TensorType(DType.of(array), tuple(array.shape)))
    raise TinycError("a Constant without a supported value", node=where, hint="export the model again")
