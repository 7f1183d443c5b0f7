# SPDX-License-Identifier: Apache-2.0
"""Constants of int8 layers in the order in which the Helium kernels of tinyc_packed_s8.h read them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.backend.program import Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, TensorType
from tinyc.kernels.base import Builder, Options
from tinyc.ops.conv import channel_multipliers
from tinyc.ops.registry import scale_zero
from tinyc.quantize.numbers import clamp_limits

VECTOR = 16  # bytes
GROUP = 4  # channels whose sums are requantized together
ROWS = 3  # multiplied together
LANES = 8  # channels of a depthwise convolution
INT32 = 2**31


def up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def folded_bias(x: TensorType, filters: Array, bias: Array | None) -> Array:
    """Biases that hold what the input's zero point contributes, [channels] as int64; filters: [channels][depth]."""
    folded: Array = -scale_zero(x)[1] * filters.astype(np.int64).sum(1)
    return folded if bias is None else folded + bias


def packed_obstacle(graph: Graph[Any], node: Node, options: Options) -> str | None:
    """Why a layer with constant filters, outermost axis output channels, has no packed form; None if it has."""
    if options.kernels != "auto" or options.variant != "mve":
        return "needs Helium"
    x, w, y = (graph.type(name) for name in (*node.inputs[:2], node.outputs[0]))
    if int(channel_multipliers(x, w, y, w.shape[0])[1].max()) > 0:
        return "a result's scale is below that of the products"
    filters = graph.data(node.inputs[1]).reshape(w.shape[0], -1)
    bias = graph.data(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else None
    if bias is not None and graph.value(node.inputs[2]).data is None:
        return "the biases are not constant"
    largest = np.abs(folded_bias(x, filters, bias)) + 128 * np.abs(filters.astype(np.int64)).sum(1)
    return None if int(largest.max()) < INT32 else "sums may exceed 32 bits"


def pack_filters(filters: Array) -> Array:
    """[channels][depth] as tinyc_packed_product_s8 wants them; both are filled up with zeros."""
    channels, depth = filters.shape
    full = np.zeros((up(channels, GROUP), up(depth, VECTOR)), np.int8)
    full[:channels, :depth] = filters
    groups = full.reshape(-1, 2, 2, full.shape[1] // VECTOR, VECTOR)  # [group][channel / 2][channel % 2][vector][byte]
    passes = groups.transpose(0, 2, 3, 1, 4).copy()
    passes[:, 1] = passes[:, 1, ::-1].copy()
    return passes


def pack_scales(*columns: Array) -> Array:
    """Numbers of each channel, a vector of four channels of each in turn."""
    channels = up(len(columns[0]), GROUP)
    full = np.zeros((len(columns), channels), np.int32)
    for row, column in zip(full, columns, strict=True):
        row[: len(column)] = column
    return full.reshape(len(columns), -1, GROUP).transpose(1, 0, 2).copy()


def product_struct(build: Builder) -> Struct:
    """tinyc_packed_product_s8 of a node, its tables included."""
    x, w, y = build.type(0), build.type(1), build.output_type()
    filters = build.data(1).reshape(w.shape[0], -1)
    bias = folded_bias(x, filters, build.data(2) if build.has(2) else None)
    zero = scale_zero(y)[1]
    low, high = clamp_limits(build.node.attrs.clamp, scale_zero(y)[0], zero, (-128, 127))
    packed = pack_filters(filters)
    scales = pack_scales(bias, *channel_multipliers(x, w, y, w.shape[0]))
    return Struct("tinyc_packed_product_s8", (
        ("filter", build.table("filter", packed)), ("scale", build.table("scale", scales)),
        ("depth", up(filters.shape[1], VECTOR)), ("channels", w.shape[0]),
        ("out_zero", zero), ("min", low), ("max", high),
    ))


def pack_depthwise(filters: Array, bias: Array, multiplier: Array, shift: Array) -> Array:
    """[channels][3][3] filters and the channels' numbers as tinyc_packed_depthwise_s8 wants them, as words."""
    channels = len(filters)
    blocks = []
    for end in range(LANES, channels + LANES, LANES):
        block = slice(min(end, channels) - LANES, min(end, channels))
        taps = np.ascontiguousarray(filters[block].reshape(LANES, -1).T).reshape(-1)
        first, factor, last = (column[block].reshape(-1, 2).T.reshape(-1) for column in (bias, multiplier, shift))
        blocks += [first.astype("<i4"), taps.view("<i4"), factor.astype("<i4"), last.astype(np.int8).view("<i4")]
    return np.concatenate(blocks).astype(np.int32)


def depthwise_words(build: Builder) -> Array:
    """The packed constants of a depthwise node."""
    x, w, y = build.type(0), build.type(1), build.output_type()
    filters = build.data(1)[..., 0]
    bias = folded_bias(x, filters.reshape(w.shape[0], -1), build.data(2) if build.has(2) else None)
    return pack_depthwise(filters, bias, *channel_multipliers(x, w, y, w.shape[0]))
