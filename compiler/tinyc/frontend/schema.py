# SPDX-License-Identifier: Apache-2.0
"""Checks an ONNX node against the standard's schema: attributes, operand counts and element types."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import onnx

from tinyc.frontend.inputs import DTYPES
from tinyc.ir.types import DType, TensorType

_TYPE_NAMES: dict[DType, str] = {
    dtype: "tensor(" + onnx.TensorProto.DataType.Name(code).lower() + ")" for code, dtype in DTYPES.items()
}
CODES: dict[DType, int] = {dtype: code for code, dtype in DTYPES.items()}


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


def function_body(
    node: onnx.NodeProto, domain: str, opset: int, types: Sequence[TensorType | None]
) -> onnx.FunctionProto | None:
    """The standard's definition of the operator in terms of others, for these operands; None if it has none."""
    schema = _schema(node.op_type, opset, domain)
    if schema is None:
        return None
    try:
        return _body(schema, node, opset, types)
    except Exception:  # onnx's builders raise whatever they like on operands that they do not expect
        return None


def _body(
    schema: onnx.defs.OpSchema, node: onnx.NodeProto, opset: int, types: Sequence[TensorType | None]
) -> onnx.FunctionProto | None:
    raw = b""
    if schema.has_context_dependent_function:
        version = _newest(schema.context_dependent_function_opset_versions, opset)
        if version:
            raw = schema.get_context_dependent_function_with_opset_version(
                version, _complete(node, schema).SerializeToString(), [_proto(t) for t in types])
    elif schema.has_function:
        version = _newest(schema.function_opset_versions, opset)
        raw = schema.get_function_with_opset_version(version) if version else b""
    if not raw:
        return None
    body = onnx.FunctionProto()
    body.ParseFromString(raw)
    given = {a.name for a in body.attribute_proto}
    for name, attribute in schema.attributes.items():
        if name not in given and attribute.default_value.type != onnx.AttributeProto.UNDEFINED:
            body.attribute_proto.append(attribute.default_value)
    return body


def is_defined(op_type: str, domain: str, opset: int) -> bool:
    """Whether the standard defines the operator by others."""
    schema = _schema(op_type, opset, domain)
    return schema is not None and bool(schema.has_function or schema.has_context_dependent_function)


def _newest(versions: Sequence[int], opset: int) -> int:
    return max((v for v in versions if v <= opset), default=0)


def _complete(node: onnx.NodeProto, schema: onnx.defs.OpSchema) -> onnx.NodeProto:
    """The node without the "" that may stand at the end of its operands."""
    result = onnx.NodeProto()
    result.CopyFrom(node)
    while result.input and not result.input[-1]:
        del result.input[-1]
    return result


def _proto(type_: TensorType | None) -> bytes:
    """A type for ONNX's builders of functions."""
    proto = onnx.TypeProto()
    if type_ is not None:
        proto.tensor_type.elem_type = CODES[DType.STRING if type_.labels is not None else type_.dtype]
        proto.tensor_type.shape.SetInParent()
        for extent in type_.shape:
            proto.tensor_type.shape.dim.add().dim_value = extent
    return bytes(proto.SerializeToString())
