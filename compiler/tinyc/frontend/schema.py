# SPDX-License-Identifier: Apache-2.0
"""Checks an ONNX node against the standard's schema: attributes, operand counts and element types."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import onnx

from tinyc.frontend.inputs import DTYPES
from tinyc.ir.types import DType

_TYPE_NAMES: dict[DType, str] = {
    dtype: "tensor(" + onnx.TensorProto.DataType.Name(code).lower() + ")" for code, dtype in DTYPES.items()
}


@functools.cache
def _schema(op_type: str, opset: int, domain: str) -> onnx.defs.OpSchema | None:
    try:
        return onnx.defs.get_schema(op_type, opset, domain)
    except onnx.defs.SchemaError:
        return None


def fault(node: onnx.NodeProto, domain: str, opset: int, types: Sequence[DType | None]) -> str | None:
    """What the node does that its operator's schema forbids; None if nothing, or if there is no schema.

    `types` are the operands' element types, None for omitted ones.
    """
    schema = _schema(node.op_type, opset, domain)
    if schema is None:
        return None
    return _attribute_fault(node, schema) or _operand_fault(node, schema, types)


def _attribute_fault(node: onnx.NodeProto, schema: onnx.defs.OpSchema) -> str | None:
    names = [a.name for a in node.attribute]
    for attribute in node.attribute:
        known = schema.attributes.get(attribute.name)
        if known is None:
            return f"attribute {attribute.name!r} is unknown"
        if int(attribute.type) != known.type.value:
            return f"attribute {attribute.name!r} is not of type {known.type.name}"
        if names.count(attribute.name) > 1:
            return f"attribute {attribute.name!r} is given twice"
    missing = [n for n, a in schema.attributes.items() if a.required and n not in names]
    return f"attribute {missing[0]!r} is missing" if missing else None


def _operand_fault(
    node: onnx.NodeProto, schema: onnx.defs.OpSchema, types: Sequence[DType | None]
) -> str | None:
    if not schema.min_input <= len(node.input) <= schema.max_input:
        return f"{len(node.input)} operands, not {schema.min_input} to {schema.max_input}"
    if not schema.min_output <= len(node.output) <= schema.max_output:
        return f"{len(node.output)} outputs, not {schema.min_output} to {schema.max_output}"
    allowed = {c.type_param_str: set(c.allowed_type_strs) for c in schema.type_constraints}
    bound: dict[str, DType] = {}
    for index, dtype in enumerate(types):
        formal = schema.inputs[min(index, len(schema.inputs) - 1)]
        optional = formal.option != onnx.defs.OpSchema.FormalParameterOption.Single
        if dtype is None:
            if not optional:
                return f"operand {index} ({formal.name}) is missing"
            continue
        label = formal.type_str
        if _TYPE_NAMES[dtype] not in allowed.get(label, {label}):
            return f"operand {index} ({formal.name}) is {dtype.label}, which {node.op_type} does not take"
        if label in allowed and formal.is_homogeneous and bound.setdefault(label, dtype) is not dtype:
            return f"operand {index} ({formal.name}) is {dtype.label} where another is {bound[label].label}"
    return None
