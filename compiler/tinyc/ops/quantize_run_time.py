# SPDX-License-Identifier: Apache-2.0
"""QuantizeLinear and DequantizeLinear whose scale or zero point is known only at run time, or has blocks.

They become element-wise operators: nothing of them has an integer form.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinyc.ir.types import DType
from tinyc.ops.cast import CastAttrs
from tinyc.ops.clip import ClipAttrs
from tinyc.ops.elementwise import BinaryAttrs
from tinyc.ops.registry import Importing, ShapeError
from tinyc.ops.select import ExpandAttrs, SliceAttrs
from tinyc.ops.unary import UnaryAttrs
from tinyc.ops.view import ReshapeAttrs

SMALL = (DType.INT8, DType.UINT8, DType.INT16, DType.UINT16)


def at_run_time(node: Importing) -> bool:
    """Whether the node's parameters are not constants of one value, or of one for each slice of an axis."""
    parameters = [k for k in (1, 2) if node.has(k)]
    blocked = node.type(1).rank > 1 and node.type(1).elements > 1
    return blocked or any(node.constant_or_none(k) is None for k in parameters)


def quantize(node: Importing, dtype: DType) -> Sequence[str]:
    """round(x / scale) + zero point, saturated."""
    if dtype not in SMALL:
        raise node.fail(f"run-time quantization to {dtype.label}", "use int8, uint8, int16 or uint16")
    x, scale = node.input(0), _aligned(node, 1)
    if not node.type(0).dtype.is_float:
        x = _cast(node, x, node.type(1).dtype)
    if node.type_of(x).dtype is not node.type(1).dtype:
        raise ShapeError(f"a scale of type {node.type(1).dtype.label} for {node.type_of(x).dtype.label}")
    steps = node.emit("Round", UnaryAttrs(), node.emit("Div", BinaryAttrs(), [x, scale]))[0]
    steps = _cast(node, steps, DType.FLOAT32)
    if node.has(2):
        steps = node.emit("Add", BinaryAttrs(), [steps, _cast(node, _aligned(node, 2), DType.FLOAT32)])[0]
    low, high = dtype.limits
    return [_cast(node, node.emit("Clip", ClipAttrs(float(low), float(high)), [steps])[0], dtype)]


def dequantize(node: Importing) -> Sequence[str]:
    """(x - zero point) * scale."""
    if not node.type(0).dtype.is_integer or node.type(0).dtype.size > 4:
        raise node.fail(f"run-time dequantization of {node.type(0).dtype.label}", "use int8, uint8, int16 or uint16")
    steps = node.input(0)
    if node.has(2):
        steps, zero = (_cast(node, v, DType.INT32) for v in (steps, _aligned(node, 2)))
        steps = node.emit("Sub", BinaryAttrs(), [steps, zero])[0]
    scale = node.type(1).dtype
    return node.emit("Mul", BinaryAttrs(), [_cast(node, steps, scale), _aligned(node, 1)])


def _cast(node: Importing, value: str, dtype: DType) -> str:
    if node.type_of(value).dtype is dtype:
        return value
    return node.emit("Cast", CastAttrs(dtype), [value])[0]


def _aligned(node: Importing, index: int) -> str:
    """A scale or zero point in a shape that broadcasts against operand 0."""
    x, type_ = node.type(0).shape, node.type(index)
    axis = int(node.attributes.get("axis", 1))
    axis += len(x) if axis < 0 else 0
    if type_.elements == 1:
        return node.emit("Reshape", ReshapeAttrs(()), [node.input(index)])[0]
    if not 0 <= axis < len(x):
        raise ShapeError(f"axis {axis} of an input of rank {len(x)}")
    if type_.rank == 1 and type_.elements == x[axis]:
        shape = (type_.elements, *[1] * (len(x) - axis - 1))
        return node.emit("Reshape", ReshapeAttrs(shape), [node.input(index)])[0]
    block = int(node.attributes.get("block_size", 0))
    blocks = type_.shape[axis] if type_.rank == len(x) else 0
    if block <= 0 or type_.shape != (*x[:axis], blocks, *x[axis + 1:]) or blocks != -(-x[axis] // block):
        raise ShapeError(f"scales {type_.shape} with blocks of {block} for an input {x}")
    apart = (*x[:axis], blocks, 1, *x[axis + 1:])
    value = node.emit("Reshape", ReshapeAttrs(apart), [node.input(index)])
    value = node.emit("Expand", ExpandAttrs((*x[:axis], blocks, block, *x[axis + 1:])), value)
    value = node.emit("Reshape", ReshapeAttrs((*x[:axis], blocks * block, *x[axis + 1:])), value)
    if blocks * block == x[axis]:
        return value[0]
    return node.emit("Slice", SliceAttrs((0,) * len(x), (1,) * len(x), x), value)[0]


__all__ = ["at_run_time", "dequantize", "quantize"]
