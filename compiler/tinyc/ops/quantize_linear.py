# SPDX-License-Identifier: Apache-2.0
"""QuantizeLinear, DequantizeLinear and Requantize: the edges between real and integer regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, Quant, TensorType
from tinyc.ops import quantize_run_time
from tinyc.ops.registry import (
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Sunk,
    Types,
    array,
    imports,
    need,
    register,
    scale_zero,
)
from tinyc.quantize.numbers import quantize_linear, quantize_multiplier, requantize

_ONNX_TYPES = {2: DType.UINT8, 3: DType.INT8, 4: DType.UINT16, 5: DType.INT16, 6: DType.INT32}


@dataclass(frozen=True)
class QuantAttrs:
    quant: Quant
    dtype: DType


class _PerAxis(Operator):
    """What QuantizeLinear and DequantizeLinear share."""

    elementwise = True

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        axis = node.attrs.quant.axis
        quant = node.attrs.quant if axis is None else node.attrs.quant.with_axis(perm[axis])
        return Sunk(replace(node.attrs, quant=quant), perm)


@register
class QuantizeLinear(_PerAxis):
    name = "QuantizeLinear"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: QuantAttrs = node.attrs
        return [TensorType(a.dtype, need(types[0], "input").shape, a.quant)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: QuantAttrs = node.attrs
        x = array(inputs[0])
        scale, zero = a.quant.broadcast(x.ndim, x.shape[a.quant.axis] if a.quant.axis is not None else 1)
        return [quantize_linear(x, scale, zero, *a.dtype.limits).astype(a.dtype.numpy)]


@register
class DequantizeLinear(_PerAxis):
    name = "DequantizeLinear"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        return [TensorType(DType.FLOAT32, need(types[0], "input").shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        quant: Quant = node.attrs.quant
        return [quant.real(array(inputs[0]))]


@dataclass(frozen=True)
class RequantizeAttrs:
    dtype: DType  # of the result


@register
class Requantize(Operator):
    """int8 or int16 to either, under another scale and zero point; always in integer form."""

    name = "Requantize"
    elementwise = True

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        return [TensorType(node.attrs.dtype, need(types[0], "input").shape)]

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        in_scale, in_zero = scale_zero(types[0])
        out_scale, out_zero = scale_zero(outputs[0])
        multiplier, shift = quantize_multiplier(float(in_scale) / float(out_scale))
        result = requantize(array(inputs[0]).astype(np.int64) - in_zero, multiplier, shift) + out_zero
        dtype = outputs[0].dtype
        return [np.clip(result, *dtype.limits).astype(dtype.numpy)]


OTHER_SIGN = {
    DType.INT8: DType.UINT8,
    DType.UINT8: DType.INT8,
    DType.INT16: DType.UINT16,
    DType.UINT16: DType.INT16,
}


def flip_sign(x: Array) -> Array:
    """Unsigned integers as signed ones, half their range lower, or the other way."""
    bits = x.dtype.itemsize * 8
    raw = x.view(f"uint{bits}")
    return np.asarray((raw ^ raw.dtype.type(1 << (bits - 1))).view(OTHER_SIGN[DType.of(x)].numpy))


@register
class ShiftSign(Operator):
    """Unsigned as signed integers of the same size or the other way: the highest bit flipped, which is exact."""

    name = "ShiftSign"
    elementwise = True

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x = need(types[0], "input")
        if x.dtype not in OTHER_SIGN:
            raise ShapeError(f"element type {x.dtype.label} is not supported")
        return [TensorType(OTHER_SIGN[x.dtype], x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        return [flip_sign(array(inputs[0]))]

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        return self.evaluate(node, inputs, outputs)

    def quant_across(self, known: TensorType) -> Quant | None:
        return shift_zero_point(known)


def shift_zero_point(type_: TensorType) -> Quant | None:
    """The quantization of the same real numbers after ShiftSign."""
    if type_.quant is None:
        return None
    half = 1 << (8 * type_.dtype.size - 1)
    away = half if type_.dtype in (DType.INT8, DType.INT16) else -half
    return replace(type_.quant, zero_point=tuple(z + away for z in type_.quant.zero_point))


def _attrs(node: Importing, dtype: DType) -> QuantAttrs:
    scale = node.constant(1, "scale").astype(np.float32)
    zero = node.constant(2, "zero point") if node.has(2) else np.zeros(scale.shape, dtype.numpy)
    if scale.size != zero.size:
        raise node.fail("a zero point of another size than the scale", "quantize per tensor or per channel")
    return quant_attrs(node, node.type(0), dtype, scale, zero, int(node.attributes.get("axis", 1)))


def quant_attrs(
    node: Importing, type_: TensorType, dtype: DType, scale: Array, zero: Array, axis: int
) -> QuantAttrs:
    """Checked parameters of a tensor; `axis` is that of the scales where there is more than one."""
    if scale.size == 0:
        raise node.fail("a scale without elements", "quantize per tensor or per channel")
    if scale.ndim > 1 and scale.size > 1 or zero.size not in (1, scale.size):
        raise node.fail(
            "blocked scales, or a zero point of another size than the scale",
            "quantize per tensor or per channel",
        )
    if not np.all(np.isfinite(scale)) or np.any(scale <= 0):
        raise node.fail("a scale is zero, negative or not finite")
    if np.any(zero < dtype.limits[0]) or np.any(zero > dtype.limits[1]):
        raise node.fail("a zero point outside the element type")
    rank = type_.rank
    axis += rank if axis < 0 else 0
    if scale.size > 1 and not (0 <= axis < rank and type_.shape[axis] == scale.size):
        raise node.fail(f"{scale.size} scales do not fit axis {axis} of {list(type_.shape)}")
    quant = Quant(
        tuple(float(s) for s in scale.reshape(-1)),
        tuple(int(z) for z in np.broadcast_to(zero.reshape(-1), (scale.size,))),
        axis if scale.size > 1 else None,
    )
    return QuantAttrs(quant, dtype)


@imports("QuantizeLinear", domain="com.microsoft")
@imports("QuantizeLinear")
def _quantize(node: Importing) -> Sequence[str]:
    declared = int(node.attributes.get("output_dtype", 0))
    if node.has(2):
        dtype = node.type(2).dtype
    elif declared in _ONNX_TYPES or declared == 0:
        dtype = _ONNX_TYPES.get(declared, DType.UINT8)
    else:
        raise node.fail(f"output_dtype {declared}", "use int8, uint8 or int16")
    if quantize_run_time.at_run_time(node):
        return quantize_run_time.quantize(node, dtype)
    return node.emit("QuantizeLinear", _attrs(node, dtype), [node.input(0)])


@imports("DequantizeLinear", domain="com.microsoft")
@imports("DequantizeLinear")
def _dequantize(node: Importing) -> Sequence[str]:
    if quantize_run_time.at_run_time(node):
        return quantize_run_time.dequantize(node)
    return node.emit("DequantizeLinear", _attrs(node, node.type(0).dtype), [node.input(0)])
