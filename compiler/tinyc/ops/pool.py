# SPDX-License-Identifier: Apache-2.0
"""AveragePool and MaxPool, with windows of any rank; the global forms are windows of full extent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, Quant, TensorType
from tinyc.ops.registry import (
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Types,
    array,
    imports,
    need,
    quantized_obstacle,
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
from tinyc.quantize.numbers import clamp_limits, quantize_multiplier, requantize


@dataclass(frozen=True)
class PoolAttrs:
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]
    ceil_mode: bool = False
    count_include_pad: bool = False
    clamp: tuple[float, float] | None = None
    channels_last: bool = False


@dataclass(frozen=True)
class IndexedPoolAttrs:
    """Of MaxPool with indices. `column_major`: they count the spatial axes from the first (storage_order 1)."""

    pool: PoolAttrs
    column_major: bool = False


@dataclass(frozen=True)
class LpPoolAttrs(PoolAttrs):
    """The p-norm of each window."""

    p: int = 2


class _Pool(Operator):
    keeps_quant = True

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: PoolAttrs = node.attrs
        x = need(types[0], "input")
        if x.rank != len(a.kernel) + 2:
            raise ShapeError(f"a window of rank {len(a.kernel)} on an input of rank {x.rank}")
        channels = x.shape[-1 if a.channels_last else 1]
        out = output_extents(
            spatial(x.shape, a.channels_last), a.kernel, a.strides, a.dilations, a.pads, a.ceil_mode
        )
        return [TensorType(x.dtype, with_spatial(x.shape[0], channels, out, a.channels_last))]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return quantized_obstacle(types, output)

    def _windows(self, node: Node, x: Array, output: TensorType, fill: float) -> Array:
        a: PoolAttrs = node.attrs
        out = spatial(output.shape, a.channels_last)
        return windows(to_first(x, a.channels_last), a.kernel, a.strides, a.dilations, a.pads, out, fill)

    def _axes(self, node: Node) -> tuple[int, ...]:
        return tuple(range(-len(node.attrs.kernel), 0))


def window_counts(a: PoolAttrs, extents: Sequence[int], out: Sequence[int]) -> Array:
    """Number of elements that each window of an average covers, at least 1, shape `out`.

    Without count_include_pad: those in the input; with it: those in the padded input, so that what
    ceil_mode adds beyond the padding never counts.
    """
    counts = np.ones(1, np.int64)
    rank = len(a.kernel)
    for i in range(rank):
        first = np.arange(out[i])[:, None] * a.strides[i] - a.pads[i]
        at = first + np.arange(a.kernel[i])[None, :] * a.dilations[i]
        low, high = (-a.pads[i], extents[i] + a.pads[rank + i]) if a.count_include_pad else (0, extents[i])
        counts = np.multiply.outer(counts, ((at >= low) & (at < high)).sum(1))
    return np.maximum(counts.reshape(tuple(out)), 1)


MOST_SUMMED = 1 << 23  # int8 values less their zero point: their sum fits 32 bits


def covers_all(a: PoolAttrs, shape: Sequence[int]) -> bool:
    """Whether the one window is the whole image, [n, channels, ...] or channels-last, without padding."""
    return a.kernel == tuple(spatial(shape, a.channels_last)) and not any(a.pads)


def mean_multiplier(node: Node, x: TensorType, y: TensorType) -> tuple[int, int] | None:
    """(multiplier, shift) from the sum of an integer AveragePool's window to its result; None where both have the same
    quantization, and the result is the integers' mean."""
    if scale_zero(x) == scale_zero(y):
        return None
    return quantize_multiplier(scale_zero(x)[0] / (scale_zero(y)[0] * math.prod(node.attrs.kernel)))


@register
class AveragePool(_Pool):
    name = "AveragePool"

    def natural_quant(self, node: Node, types: Types, wanted: Quant) -> Quant:
        """The mean of a whole image may have a scale of its own, for it is small beside the largest element."""
        x = need(types[0], "input")
        own = x.dtype is DType.INT8 and covers_all(node.attrs, x.shape) and math.prod(node.attrs.kernel) <= MOST_SUMMED
        return wanted if own else super().natural_quant(node, types, wanted)

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: PoolAttrs = node.attrs
        x = array(inputs[0])
        total = self._windows(node, x.astype(np.float64), outputs[0], 0.0).sum(self._axes(node))
        counts = window_counts(
            a, spatial(x.shape, a.channels_last), spatial(outputs[0].shape, a.channels_last)
        )
        mean = total / counts
        if a.clamp is not None:
            mean = np.clip(mean, *a.clamp)
        return [to_last(mean, a.channels_last).astype(outputs[0].dtype.numpy)]

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        """Mean rounded to nearest, ties away from zero, of the raw integers; padding is the zero point. To another
        scale: the exact sum, requantized once."""
        a: PoolAttrs = node.attrs
        x, zero = array(inputs[0]).astype(np.int64), scale_zero(types[0])[1] if a.count_include_pad else 0
        counts = window_counts(
            a, spatial(x.shape, a.channels_last), spatial(outputs[0].shape, a.channels_last)
        )
        total = self._windows(node, x - zero, outputs[0], 0).sum(self._axes(node)) + counts * zero
        multiplier = mean_multiplier(node, need(types[0], "input"), outputs[0])
        if multiplier is None:
            half = np.where(total > 0, counts // 2, -(counts // 2))
            mean = np.trunc((total + half) / counts).astype(np.int64)
        else:
            mean = requantize(total - counts * scale_zero(types[0])[1], *multiplier) + scale_zero(outputs[0])[1]
        low, high = clamp_limits(a.clamp, *scale_zero(outputs[0]), outputs[0].dtype.limits)
        return [to_last(np.clip(mean, low, high).astype(outputs[0].dtype.numpy), a.channels_last)]


@register
class MaxPool(_Pool):
    name = "MaxPool"
    selects = True

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: PoolAttrs = node.attrs
        x = array(inputs[0])
        fill = -math.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        best = self._windows(node, x, outputs[0], fill).max(self._axes(node))
        if a.clamp is not None:
            best = np.clip(best, *a.clamp)
        return [to_last(best, a.channels_last).astype(x.dtype)]

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        a: PoolAttrs = node.attrs
        limits = outputs[0].dtype.limits
        best = self._windows(node, array(inputs[0]), outputs[0], limits[0]).max(self._axes(node))
        low, high = clamp_limits(a.clamp, *scale_zero(outputs[0]), limits)
        return [to_last(np.clip(best, low, high).astype(outputs[0].dtype.numpy), a.channels_last)]


@register
class LpPool(_Pool):
    name = "LpPool"
    keeps_quant = False

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        if node.attrs.p < 1 or not need(types[0], "input").dtype.is_float:
            raise ShapeError(f"a norm of order {node.attrs.p} of {types[0]}")
        return super().infer(node, types, constants)

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: LpPoolAttrs = node.attrs
        powers = np.abs(array(inputs[0]).astype(np.float64)) ** a.p
        norm = self._windows(node, powers, outputs[0], 0.0).sum(self._axes(node)) ** (1.0 / a.p)
        if a.clamp is not None:
            norm = np.clip(norm, *a.clamp)
        return [to_last(norm, a.channels_last).astype(outputs[0].dtype.numpy)]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return "LpPool has no integer form"


@imports("AveragePool", "MaxPool")
def _pool(node: Importing) -> Sequence[str]:
    attributes = node.attributes
    kernel = tuple(attributes["kernel_shape"])
    strides, dilations, pads = window_attributes(attributes, kernel, node.type(0).shape[2:])
    attrs = PoolAttrs(
        kernel,
        strides,
        dilations,
        pads,
        bool(attributes.get("ceil_mode", 0)),
        bool(attributes.get("count_include_pad", 0)),
    )
    if len(node.outputs) > 1 and node.outputs[1]:
        indexed = IndexedPoolAttrs(attrs, bool(attributes.get("storage_order", 0)))
        return node.emit("MaxPoolIndices", indexed, [node.input(0)], 2)
    return node.emit(node.op_type, attrs, [node.input(0)])


@imports("LpPool")
def _lp_pool(node: Importing) -> Sequence[str]:
    kernel = tuple(node.attributes["kernel_shape"])
    strides, dilations, pads = window_attributes(node.attributes, kernel, node.type(0).shape[2:])
    ceil_mode, p = bool(node.attributes.get("ceil_mode", 0)), int(node.attributes.get("p", 2))
    attrs = LpPoolAttrs(kernel, strides, dilations, pads, ceil_mode, p=p)
    return node.emit("LpPool", attrs, [node.input(0)])


@imports("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def _global_pool(node: Importing) -> Sequence[str]:
    kernel = node.type(0).shape[2:]
    ones = (1,) * len(kernel)
    attrs = PoolAttrs(kernel, ones, ones, (0,) * (2 * len(kernel)))
    if node.op_type == "GlobalLpPool":
        attrs = LpPoolAttrs(kernel, ones, ones, attrs.pads, p=int(node.attributes.get("p", 2)))
    return node.emit(node.op_type.removeprefix("Global"), attrs, [node.input(0)])
