# SPDX-License-Identifier: Apache-2.0
"""ConvTranspose: every element of the input spreads a filter over the result.

Operands as for Conv: weights are rearranged at import to [O,C/g,...] (channels-last: [O,...,C/g]), so that what is done
to a Conv's output channels can be done to these.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.conv import channel_multipliers, weights_obstacle
from tinyc.ops.registry import (
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Types,
    array,
    imports,
    need,
    register,
    scale_zero,
)
from tinyc.ops.spatial import spatial, to_first, to_last, window_attributes, with_spatial
from tinyc.ops.transpose import TransposeAttrs
from tinyc.ops.view import ReshapeAttrs
from tinyc.quantize.numbers import clamp_limits, requantize, saturate


@dataclass(frozen=True)
class ConvTransposeAttrs:
    """`pads`: how much is cut off the full result, begins then ends; an end may be negative, which adds to it."""

    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]
    group: int = 1
    clamp: tuple[float, float] | None = None
    channels_last: bool = False


def spread(x: Array, w: Array, a: ConvTransposeAttrs, out: Sequence[int]) -> Array:
    """Sums of products, channels-first, in float64 (exact for 8-bit operands)."""
    rank, extents, kernel = len(a.strides), x.shape[2:], w.shape[2:]
    n, outputs, channels = x.shape[0], w.shape[0] // a.group, x.shape[1] // a.group
    full = [max((d - 1) * s + (k - 1) * t + 1, o + b)
            for d, s, k, t, o, b in zip(extents, a.strides, kernel, a.dilations, out, a.pads, strict=False)]
    result = np.zeros((n, w.shape[0], *full))
    for flat, tap in enumerate(itertools.product(*(range(k) for k in kernel))):
        place = tuple(slice(t * d, t * d + (e - 1) * s + 1, s)
                      for t, d, e, s in zip(tap, a.dilations, extents, a.strides, strict=True))
        for g in range(a.group):
            rows = slice(g * outputs, (g + 1) * outputs)
            part = np.tensordot(w[rows].reshape(outputs, channels, -1)[:, :, flat].astype(np.float64),
                                x[:, g * channels : (g + 1) * channels].astype(np.float64), ([1], [1]))
            result[(slice(None), rows, *place)] += np.moveaxis(part, 0, 1)
    cut = tuple(slice(a.pads[k], a.pads[k] + out[k]) for k in range(rank))
    return result[(slice(None), slice(None), *cut)]


@register
class ConvTranspose(Operator):
    name = "ConvTranspose"
    bias_operand = 2

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: ConvTransposeAttrs = node.attrs
        x, w = need(types[0], "input"), need(types[1], "weights")
        if x.rank < 3 or w.rank != x.rank or not (x.dtype.is_float or node.integer):
            raise ShapeError(f"input {x} with weights {w}")
        channels, per_group = (t.shape[-1 if a.channels_last else 1] for t in (x, w))
        if a.group < 1 or channels != per_group * a.group or w.shape[0] % a.group:
            raise ShapeError(f"{channels} channels in {a.group} groups do not fit weights {w.shape}")
        if len(types) > 2 and types[2] is not None and types[2].shape != (w.shape[0],):
            raise ShapeError(f"bias {types[2].shape} for {w.shape[0]} output channels")
        extents, kernel = spatial(x.shape, a.channels_last), spatial(w.shape, a.channels_last)
        rank = len(extents)
        out = [(extents[k] - 1) * a.strides[k] + (kernel[k] - 1) * a.dilations[k] + 1 - a.pads[k] - a.pads[rank + k]
               for k in range(rank)]
        if min(out) < 1 or min(extents) < 1:
            raise ShapeError(f"no result is left of an input {x.shape} with pads {a.pads}")
        dtype = DType.INT8 if node.integer else x.dtype
        return [TensorType(dtype, with_spatial(x.shape[0], w.shape[0], out, a.channels_last))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: ConvTransposeAttrs = node.attrs
        x, w = to_first(array(inputs[0]), a.channels_last), to_first(array(inputs[1]), a.channels_last)
        acc = spread(x, w, a, spatial(outputs[0].shape, a.channels_last))
        if len(inputs) > 2 and inputs[2] is not None:
            acc = acc + inputs[2].astype(np.float64).reshape(-1, *[1] * (acc.ndim - 2))
        if a.clamp is not None:
            acc = np.clip(acc, *a.clamp)
        return [to_last(acc, a.channels_last).astype(outputs[0].dtype.numpy)]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return weights_obstacle(types, output, 0)

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        a: ConvTransposeAttrs = node.attrs
        x, w = to_first(array(inputs[0]), a.channels_last), to_first(array(inputs[1]), a.channels_last)
        out_scale, out_zero = scale_zero(outputs[0])
        shape = (-1, *[1] * (x.ndim - 2))
        real = x.astype(np.int64) - scale_zero(types[0])[1]
        total = spread(real, w, a, spatial(outputs[0].shape, a.channels_last)).astype(np.int64)
        if len(inputs) > 2 and inputs[2] is not None:
            total = total + inputs[2].astype(np.int64).reshape(shape)
        multiplier, shift = channel_multipliers(
            need(types[0], "x"), need(types[1], "w"), outputs[0], w.shape[0]
        )
        result = requantize(total, multiplier.reshape(shape), shift.reshape(shape)) + out_zero
        low, high = clamp_limits(a.clamp, out_scale, out_zero, (-128, 127))
        return [to_last(saturate(result, low, high), a.channels_last)]

    def macs(self, node: Node, types: Types, outputs: Sequence[TensorType]) -> int:
        x, w = need(types[0], "input"), need(types[1], "weights")
        return x.elements * w.elements // x.shape[-1 if node.attrs.channels_last else 1]


def _pads(
    node: Importing, extents: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int],
    pads: Sequence[int],
) -> tuple[int, ...]:
    """What is cut off the full result, begins then ends, from pads, auto_pad, output_padding and output_shape."""
    rank, auto = len(kernel), node.attributes.get("auto_pad", "NOTSET")
    added = list(node.attributes.get("output_padding") or [0] * rank)
    wanted = list(node.attributes.get("output_shape") or [])[-rank:]
    if len(added) != rank or (wanted and len(wanted) != rank) or min(added) < 0 or min(wanted, default=1) < 1:
        raise ShapeError(f"output_padding {added} and output_shape {wanted} for {rank} axes")
    if auto in ("SAME_UPPER", "SAME_LOWER") and not wanted:
        wanted = [d * s for d, s in zip(extents, strides, strict=True)]
    begins, ends = [], []
    for k in range(rank):
        full = (extents[k] - 1) * strides[k] + (kernel[k] - 1) * dilations[k] + 1
        if wanted:
            cut = max(0, full + added[k] - wanted[k])
            begin = cut // 2 if auto == "SAME_UPPER" else cut - cut // 2
            begins.append(begin)
            ends.append(full - begin - wanted[k])
        else:
            begins.append(pads[k])
            ends.append(pads[rank + k] - added[k])
    return (*begins, *ends)


@imports("ConvTranspose")
def _conv_transpose(node: Importing) -> Sequence[str]:
    x, w = node.type(0), node.type(1)
    if w.rank != x.rank or x.rank < 3:
        raise ShapeError(f"input of rank {x.rank} with weights of rank {w.rank}")
    given = tuple(node.attributes.get("kernel_shape") or w.shape[2:])
    if given != w.shape[2:]:
        raise ShapeError(f"kernel_shape {given} for weights {w.shape}")
    plain = {**node.attributes, "auto_pad": "VALID" if node.attributes.get("auto_pad") == "VALID" else "NOTSET"}
    strides, dilations, pads = window_attributes(plain, w.shape[2:], x.shape[2:])
    group = int(node.attributes.get("group", 1))
    if group < 1 or w.shape[0] % group:
        raise ShapeError(f"{w.shape[0]} channels in {group} groups")
    cut = _pads(node, x.shape[2:], w.shape[2:], strides, dilations, pads)
    attrs = ConvTransposeAttrs(strides, dilations, cut, group)
    weights = _weights(node, w, group)
    return node.emit("ConvTranspose", attrs, [node.input(0), weights, node.input(2) if node.has(2) else ""])


def _weights(node: Importing, w: TensorType, group: int) -> str:
    """ONNX's [C,O/g,...] as [O,C/g,...]."""
    channels, outputs, kernel = w.shape[0] // group, w.shape[1], w.shape[2:]
    later = tuple(range(2, w.rank))
    if group == 1:
        return node.emit("Transpose", TransposeAttrs((1, 0, *later)), [node.input(1)])[0]
    apart = node.emit("Reshape", ReshapeAttrs((group, channels, outputs, *kernel)), [node.input(1)])
    turned = node.emit("Transpose", TransposeAttrs((0, 2, 1, *(k + 1 for k in later))), apart)
    return node.emit("Reshape", ReshapeAttrs((group * outputs, channels, *kernel)), turned)[0]
