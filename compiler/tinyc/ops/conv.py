# SPDX-License-Identifier: Apache-2.0
"""Conv: N-dimensional convolution, grouped, dilated, with a fused clamp.

Operands: x, weights, bias (may be ""). Channels-first: x [N,C,...], weights [O,C/g,...];
channels-last: x [N,...,C], weights [O,...,C/g].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import (
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Types,
    array,
    imports,
    need,
    quant_of,
    register,
    scale_zero,
)
from tinyc.ops.spatial import (
    output_extents,
    spatial,
    to_first,
    to_last,
    window_attributes,
    windows,
    with_spatial,
)
from tinyc.quantize.numbers import (
    MAX_WIDE_SHIFT,
    clamp_limits,
    quantize_multiplier,
    reduce_multiplier,
    requantize,
    requantize_wide,
    saturate,
)


@dataclass(frozen=True)
class ConvAttrs:
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]
    group: int = 1
    clamp: tuple[float, float] | None = None
    channels_last: bool = False


def channel_multipliers(x: TensorType, w: TensorType, y: TensorType, channels: int) -> tuple[Array, Array]:
    """Requantization (multiplier, shift) for each output channel."""
    in_scale, out_scale = quant_of(x).scale[0], quant_of(y).scale[0]
    scales = quant_of(w).scale
    pairs = [quantize_multiplier(float(in_scale) * float(s) / float(out_scale)) for s in scales]
    pairs = pairs * channels if len(pairs) == 1 else pairs
    return np.array([p[0] for p in pairs], np.int32), np.array([p[1] for p in pairs], np.int32)


def rescaled(
    acc: Array, multiplier: Array, shift: Array, x: TensorType, y: TensorType, clamp: tuple[float, float] | None
) -> Array:
    """Sums of products as the result's integers: rounded as int8 or, in 64 bits, as int16 activations are."""
    scale, zero = scale_zero(y)
    if x.dtype is DType.INT16:
        result = requantize_wide(acc, reduce_multiplier(multiplier), shift)
    else:
        result = requantize(acc, multiplier, shift)
    return saturate(result + zero, *clamp_limits(clamp, scale, zero, y.dtype.limits), y.dtype.label)


def weights_zero(w: TensorType, axes: int) -> Array:
    """The weights' zero points, shaped to be taken from weights of so many axes, output channels first."""
    zeros = np.array(quant_of(w).zero_point, np.int64)
    return zeros.reshape(()) if zeros.size == 1 else zeros.reshape(-1, *[1] * (axes - 1))


def symmetric(w: TensorType) -> bool:
    """Whether the weights have no zero point: what CMSIS-NN's functions take."""
    return not any(quant_of(w).zero_point)


def accumulate(x: Array, w: Array, attrs: ConvAttrs, out: Sequence[int]) -> Array:
    """Sums of products, channels-first, in float64 (exact for 8-bit operands)."""
    kernel, group = w.shape[2:], attrs.group
    view = windows(x.astype(np.float64), kernel, attrs.strides, attrs.dilations, attrs.pads, out, 0.0)
    rank, n, per_group = len(kernel), x.shape[0], w.shape[0] // group
    channels = x.shape[1] // group
    result = np.empty((n, w.shape[0], *out), np.float64)
    for g in range(group):
        part = view[:, g * channels : (g + 1) * channels]
        # [N, C, out..., kernel...] -> [N, out..., C, kernel...] flattened for one matrix product
        order = (0, *range(2, 2 + rank), 1, *range(2 + rank, 2 + 2 * rank))
        flat = part.transpose(order).reshape(n * math.prod(out), -1)
        rows = w[g * per_group : (g + 1) * per_group].reshape(per_group, -1).astype(np.float64)
        block = (flat @ rows.T).reshape(n, *out, per_group)
        result[:, g * per_group : (g + 1) * per_group] = np.moveaxis(block, -1, 1)
    return result


@register
class Conv(Operator):
    name = "Conv"
    bias_operand = 2
    stored_operand = 1

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: ConvAttrs = node.attrs
        x, w = need(types[0], "input"), need(types[1], "weights")
        if x.rank < 3 or w.rank != x.rank:
            raise ShapeError(f"input of rank {x.rank} with weights of rank {w.rank}")
        channels = x.shape[-1 if a.channels_last else 1]
        per_group = w.shape[-1 if a.channels_last else 1]
        if a.group < 1 or channels != per_group * a.group or w.shape[0] % a.group:
            raise ShapeError(f"{channels} channels in {a.group} groups do not fit weights {w.shape}")
        if len(types) > 2 and types[2] is not None and types[2].shape != (w.shape[0],):
            raise ShapeError(f"bias {types[2].shape} for {w.shape[0]} output channels")
        out = output_extents(
            spatial(x.shape, a.channels_last),
            spatial(w.shape, a.channels_last),
            a.strides,
            a.dilations,
            a.pads,
        )
        return [TensorType(x.dtype, with_spatial(x.shape[0], w.shape[0], out, a.channels_last))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: ConvAttrs = node.attrs
        x, w = to_first(array(inputs[0]), a.channels_last), to_first(array(inputs[1]), a.channels_last)
        acc = accumulate(x, w, a, spatial(outputs[0].shape, a.channels_last))
        if len(inputs) > 2 and inputs[2] is not None:
            acc += inputs[2].astype(np.float64).reshape(-1, *[1] * (acc.ndim - 2))
        if a.clamp is not None:
            acc = np.clip(acc, *a.clamp)
        return [to_last(acc, a.channels_last).astype(outputs[0].dtype.numpy)]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return weights_obstacle(types, output, 0, general=True)

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        a: ConvAttrs = node.attrs
        x, w = to_first(array(inputs[0]), a.channels_last), to_first(array(inputs[1]), a.channels_last)
        _, in_zero = scale_zero(types[0])
        w = w.astype(np.int64) - weights_zero(need(types[1], "w"), w.ndim)
        acc = accumulate(x.astype(np.int64) - in_zero, w, a, spatial(outputs[0].shape, a.channels_last))
        shape = (-1, *[1] * (acc.ndim - 2))
        total = acc.astype(np.int64)
        if len(inputs) > 2 and inputs[2] is not None:
            total = total + inputs[2].astype(np.int64).reshape(shape)
        x_type = need(types[0], "x")
        multiplier, shift = channel_multipliers(x_type, need(types[1], "w"), outputs[0], w.shape[0])
        result = rescaled(total, multiplier.reshape(shape), shift.reshape(shape), x_type, outputs[0], a.clamp)
        return [to_last(result, a.channels_last)]

    def macs(self, node: Node, types: Types, outputs: Sequence[TensorType]) -> int:
        w = need(types[1], "weights")
        return outputs[0].elements * (w.elements // w.shape[0])


def weights_obstacle(types: Types, output: TensorType, axis: int, general: bool = False) -> str | None:
    """Why weights with one scale a slice of `axis` cannot be used; None if they can.

    general: weights may have zero points, and activations 16 bits; else only symmetric weights and int8 will do.
    """
    x, w = need(types[0], "input"), need(types[1], "weights")
    if x.dtype not in (DType.INT8, DType.INT16) or output.dtype is not x.dtype:
        return f"activations are {x.dtype.label} and {output.dtype.label}, not both int8 or both int16"
    if not general and (x.dtype is not DType.INT8 or any(quant_of(w).zero_point)):
        return "activations are not int8, or weights are not symmetric"
    if not quant_of(x).per_tensor or not quant_of(output).per_tensor:
        return "activations are quantized per channel"
    if w.dtype not in (DType.INT4, DType.INT8) and (w.dtype is not DType.INT16 or x.dtype is not DType.INT16):
        return f"weights are {w.dtype.label}, activations {x.dtype.label}"
    if not quant_of(w).per_tensor and quant_of(w).axis != axis:
        return f"weights are quantized along axis {quant_of(w).axis}, not {axis}"
    if x.dtype is DType.INT16 and max(channel_multipliers(x, w, output, w.shape[axis])[1]) > MAX_WIDE_SHIFT:
        return "the result's scale is below 2^-14 of the products'"
    return None


@imports("Conv")
def _conv(node: Importing) -> Sequence[str]:
    x, w = node.type(0), node.type(1)
    strides, dilations, pads = window_attributes(node.attributes, w.shape[2:], x.shape[2:])
    attrs = ConvAttrs(strides, dilations, pads, int(node.attributes.get("group", 1)))
    return node.emit("Conv", attrs, [node.input(0), node.input(1), node.input(2) if node.has(2) else ""])
