# SPDX-License-Identifier: Apache-2.0
"""Weights that are mostly zero, or few different ones, packed as runtime_c/include/tinyc_structured_s8.h has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyc.backend.program import Field, Null, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array
from tinyc.kernels.base import Builder
from tinyc.kernels.packed_s8 import folded_bias
from tinyc.ops.conv import channel_multipliers
from tinyc.ops.registry import scale_zero
from tinyc.quantize.numbers import clamp_limits
from tinyc.quantize.structure import MOST_CLUSTERS

SEGMENT = 256  # inputs that a byte can tell apart
MOST_STORED = 255  # weights of a segment


def filters_of(graph: Graph[Any], node: Node) -> Array:
    """The int8 weights of a Conv without groups or a Gemm, [channels][depth]."""
    data = graph.data(node.inputs[1])
    return data.reshape(len(data), -1)


def bias_of(graph: Graph[Any], node: Node) -> Array:
    """Biases with what the input's zero point contributes, int64 [channels]."""
    bias = graph.data(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else None
    return folded_bias(graph.type(node.inputs[0]), filters_of(graph, node), bias)


def sums_obstacle(graph: Graph[Any], node: Node) -> str | None:
    """Why a layer's sums need more than 30 bits and a sign, or are not known; None if neither."""
    if len(node.inputs) > 2 and node.inputs[2] and not graph.value(node.inputs[2]).is_const:
        return "the biases are not constant"
    largest = np.abs(bias_of(graph, node)) + 128 * np.abs(filters_of(graph, node).astype(np.int64)).sum(1)
    return "sums may exceed 30 bits" if int(largest.max()) >= 1 << 30 else None


@dataclass(frozen=True)
class Packed:
    """filter: bytes. values: tables of clusters, int8 [1 or channels][16]. stored: weights that are multiplied."""

    filter: Array
    values: Array | None
    stored: int

    @property
    def bytes(self) -> int:
        return self.filter.nbytes + (0 if self.values is None else self.values.nbytes)


def segments(depth: int) -> int:
    """Of a channel."""
    return -(-depth // SEGMENT)


def pack_sparse(filters: Array) -> Packed | None:
    """What is not zero of [channels][depth] int8 weights; None where that is too much of a segment."""
    parts: list[Array] = []
    for row in filters:
        for start in range(0, len(row), SEGMENT):
            segment = row[start : start + SEGMENT]
            places = np.flatnonzero(segment)
            if len(places) > MOST_STORED:
                return None
            parts += [np.array([len(places)]), places, segment[places].view(np.uint8)]
    return Packed(np.concatenate(parts).astype(np.uint8), None, int(np.count_nonzero(filters)))


def pack_clustered(filters: Array) -> Packed | None:
    """Places in tables for [channels][depth] int8 weights; None where a channel has more than 16 values.

    One table serves all channels if they have at most 16 different weights together.
    """
    shared = len(np.unique(filters)) <= MOST_CLUSTERS
    tables, places = [], []
    for group in [filters] if shared else filters[:, None]:
        values, inverse = np.unique(group, return_inverse=True)
        if len(values) > MOST_CLUSTERS:
            return None
        tables.append(np.pad(values, (0, MOST_CLUSTERS - len(values))))
        places.append(inverse.reshape(group.shape).astype(np.uint8))
    index = np.concatenate(places)
    index = np.pad(index, ((0, 0), (0, index.shape[1] % 2)))
    return Packed(index[:, 0::2] | index[:, 1::2] << 4, np.stack(tables), filters.size)


def _scales(graph: Graph[Any], node: Node) -> tuple[Array, Array]:
    """Multipliers and shifts of a node's channels; a single one where all are the same."""
    x, w, y = graph.type(node.inputs[0]), graph.type(node.inputs[1]), graph.type(node.outputs[0])
    multiplier, shift = channel_multipliers(x, w, y, w.shape[0])
    one = len(set(zip(multiplier.tolist(), shift.tolist(), strict=True))) == 1
    return (multiplier[:1], shift[:1].astype(np.int8)) if one else (multiplier, shift.astype(np.int8))


def constant_bytes(graph: Graph[Any], node: Node) -> int:
    """Of biases and requantization."""
    channels: int = graph.type(node.inputs[1]).shape[0]
    return 4 * channels + 5 * len(_scales(graph, node)[0])


def layer_struct(build: Builder, packed: Packed) -> Struct:
    """tinyc_structured_s8 of a node, its tables included."""
    y = build.output_type()
    channels, depth = filters_of(build.graph, build.node).shape
    multiplier, shift = _scales(build.graph, build.node)
    scale, zero = scale_zero(y)
    low, high = clamp_limits(build.node.attrs.clamp, scale, zero, (-128, 127))
    own_tables = packed.values is not None and len(packed.values) > 1
    values: Field = Null()
    if packed.values is not None:
        values = build.table("values", packed.values, filters=packed.values.nbytes)
    bias = bias_of(build.graph, build.node).astype(np.int32)
    return Struct("tinyc_structured_s8", (
        ("filter", build.table("filter", packed.filter)), ("values", values),
        ("bias", build.table("bias", bias)), ("multiplier", build.table("multiplier", multiplier)),
        ("shift", build.table("shift", shift)), ("scale_step", int(len(shift) > 1)),
        ("table_step", MOST_CLUSTERS if own_tables else 0), ("depth", depth), ("channels", channels),
        ("out_zero", zero), ("min", low), ("max", high),
    ))
