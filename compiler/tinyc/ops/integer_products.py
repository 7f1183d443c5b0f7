# SPDX-License-Identifier: Apache-2.0
"""ConvInteger and MatMulInteger: sums of products of 8-bit integers less their zero points, in int32.

With DynamicQuantizeLinear they are what quantization at run time consists of; onnxruntime's forms of that, too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinyc.ir.graph import NoAttrs, Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops import quantize_run_time
from tinyc.ops.cast import CastAttrs
from tinyc.ops.clip import ClipAttrs
from tinyc.ops.conv import ConvAttrs, accumulate
from tinyc.ops.elementwise import BinaryAttrs
from tinyc.ops.matmul import MatMulAttrs
from tinyc.ops.qlinear import Inner
from tinyc.ops.reduce import ReduceAttrs
from tinyc.ops.registry import (
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Types,
    array,
    imports,
    need,
    operator,
    register,
)
from tinyc.ops.spatial import spatial, to_first, to_last, window_attributes
from tinyc.ops.unary import UnaryAttrs
from tinyc.ops.view import ReshapeAttrs

MICROSOFT = "com.microsoft"
_BYTES = (DType.INT8, DType.UINT8)


def _check(types: Types, lengths: Sequence[int]) -> None:
    """8-bit operands 0 and 1, with zero points of one element or `lengths` elements (operands 2 and 3, or none)."""
    for k, length in enumerate(lengths):
        data = need(types[k], "operand")
        zero = types[2 + k] if 2 + k < len(types) else None
        if data.dtype not in _BYTES:
            raise ShapeError(f"an operand of type {data.dtype.label}")
        if zero is not None and (zero.dtype is not data.dtype or zero.shape not in ((), (length,))):
            raise ShapeError(f"a zero point {zero} for {data}")


def _less_zero(inputs: Arrays, k: int, shape: Sequence[int]) -> Array:
    """Operand k less its zero point, which is seen under a shape where it has several elements."""
    zero = inputs[2 + k] if 2 + k < len(inputs) else None
    data = array(inputs[k]).astype(np.int64)
    if zero is None:
        return data
    return data - (zero.astype(np.int64).reshape(shape) if zero.ndim else zero.astype(np.int64))


@register
class MatMulInteger(Operator):
    """Operands: A [...,M,K], B [...,K,N], zero point of A ([], or [M]) or "", zero point of B ([], or [N]) or ""."""

    name = "MatMulInteger"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a, b = need(types[0], "A"), need(types[1], "B")
        shape = operator("MatMul").infer(Node("", "MatMul", MatMulAttrs(), (), ()), (a, b), ())[0].shape
        _check(types, (a.shape[-2] if a.rank > 1 else 1, b.shape[-1] if b.rank > 1 else 1))
        return [TensorType(DType.INT32, shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a, b = _less_zero(inputs, 0, (-1, 1)), _less_zero(inputs, 1, (1, -1))
        return [np.asarray(np.matmul(a, b)).astype(np.int32)]

    def macs(self, node: Node, types: Types, outputs: Sequence[TensorType]) -> int:
        return outputs[0].elements * need(types[0], "A").shape[-1]


@register
class ConvInteger(Operator):
    """Operands as for Conv, but no bias, then the zero points of x ([]) and of the weights ([], or [O]), or ""."""

    name = "ConvInteger"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x, w = need(types[0], "input"), need(types[1], "weights")
        draft = Node("", "Conv", node.attrs, (), ())
        shape = operator("Conv").infer(draft, (x, w), ())[0].shape
        _check(types, (1, w.shape[0]))
        return [TensorType(DType.INT32, shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: ConvAttrs = node.attrs
        x = to_first(_less_zero(inputs, 0, ()), a.channels_last)
        w = to_first(_less_zero(inputs, 1, (-1, *[1] * (array(inputs[1]).ndim - 1))), a.channels_last)
        acc = accumulate(x, w, a, spatial(outputs[0].shape, a.channels_last))
        return [to_last(acc.astype(np.int64).astype(np.int32), a.channels_last)]

    def macs(self, node: Node, types: Types, outputs: Sequence[TensorType]) -> int:
        w = need(types[1], "weights")
        return outputs[0].elements * (w.elements // w.shape[0])


def _zero(node: Importing, index: int, length: int) -> str:
    """A zero point as one number or a vector of `length`."""
    if not node.has(index):
        return ""
    shape = node.type(index).shape
    count = math.prod(shape)
    if count not in (1, length):
        raise node.fail(f"a zero point of shape {list(shape)}", "one, or one for each row or column")
    wanted = () if count == 1 else (length,)
    value = node.input(index)
    return value if shape == wanted else node.emit("Reshape", ReshapeAttrs(wanted), [value])[0]


def _emit_matmul(node: Importing, a: str, b: str, zeros: Sequence[str]) -> str:
    return node.emit("MatMulInteger", NoAttrs(), [a, b, *zeros])[0]


def _rows(type_: TensorType) -> int:
    return type_.shape[-2] if type_.rank > 1 else 1


def _columns(type_: TensorType) -> int:
    return type_.shape[-1] if type_.rank > 1 else 1


@imports("MatMulInteger")
def _matmul(node: Importing) -> Sequence[str]:
    zeros = [_zero(node, 2, _rows(node.type(0))), _zero(node, 3, _columns(node.type(1)))]
    return [_emit_matmul(node, node.input(0), node.input(1), zeros)]


@imports("ConvInteger")
def _conv(node: Importing) -> Sequence[str]:
    x, w = node.type(0), node.type(1)
    strides, dilations, pads = window_attributes(node.attributes, w.shape[2:], x.shape[2:])
    attrs = ConvAttrs(strides, dilations, pads, int(node.attributes.get("group", 1)))
    zeros = [_zero(node, 2, 1), _zero(node, 3, w.shape[0])]
    return node.emit("ConvInteger", attrs, [node.input(0), node.input(1), *zeros])


def _quantized(node: Importing, value: str) -> tuple[str, str, str]:
    """DynamicQuantizeLinear of a real value: uint8, its scale and its zero point, from its smallest and largest."""
    axes = ReduceAttrs(tuple(range(node.type_of(value).rank)), False)
    zero, one = (node.const(np.array(v, np.float32)) for v in (0.0, 1.0))
    top = node.emit("Max", BinaryAttrs(), [*node.emit("ReduceMax", axes, [value]), zero])[0]
    bottom = node.emit("Min", BinaryAttrs(), [*node.emit("ReduceMin", axes, [value]), zero])[0]
    span = node.emit("Sub", BinaryAttrs(), [top, bottom])[0]
    step = node.emit("Div", BinaryAttrs(), [span, node.const(np.array(255.0, np.float32))])[0]
    flat = node.emit("Equal", BinaryAttrs(), [step, zero])[0]
    scale = node.emit("Where", NoAttrs(), [flat, one, step])[0]
    below = node.emit("Div", BinaryAttrs(), [*node.emit("Sub", BinaryAttrs(), [zero, bottom]), scale])
    place = node.emit("Clip", ClipAttrs(0.0, 255.0), node.emit("Round", UnaryAttrs(), below))
    point = node.emit("Cast", CastAttrs(DType.UINT8), place)[0]
    inner = Inner(node, "QuantizeLinear", (value, scale, point), {}, 21)
    return quantize_run_time.quantize(inner, DType.UINT8)[0], scale, point


@imports("DynamicQuantizeLinear")
def _dynamic(node: Importing) -> Sequence[str]:
    return _quantized(node, node.input(0))


def _real(node: Importing, product: str, scales: Sequence[str], bias: str) -> list[str]:
    """An int32 product times both scales, plus a bias."""
    factor = node.emit("Mul", BinaryAttrs(), scales)
    real = node.emit("Cast", CastAttrs(DType.FLOAT32), [product])
    result = node.emit("Mul", BinaryAttrs(), [*real, *factor])
    return node.emit("Add", BinaryAttrs(), [*result, bias]) if bias else result


@imports("MatMulIntegerToFloat", domain=MICROSOFT)
def _matmul_to_float(node: Importing) -> Sequence[str]:
    """A, B, scale of A, scale of B, zero point of A, zero point of B, bias."""
    if node.type(2).elements != 1:
        raise node.fail("a scale for each row")
    zeros = [_zero(node, 4, _rows(node.type(0))), _zero(node, 5, _columns(node.type(1)))]
    product = _emit_matmul(node, node.input(0), node.input(1), zeros)
    return _real(node, product, [node.input(2), node.input(3)], node.input(6))


@imports("DynamicQuantizeMatMul", domain=MICROSOFT)
def _dynamic_matmul(node: Importing) -> Sequence[str]:
    """A (real, quantized here), B, scale of B, zero point of B, bias."""
    a, scale, point = _quantized(node, node.input(0))
    product = _emit_matmul(node, a, node.input(1), [point, _zero(node, 3, _columns(node.type(1)))])
    return _real(node, product, [scale, node.input(2)], node.input(4))
