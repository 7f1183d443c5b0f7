# SPDX-License-Identifier: Apache-2.0
"""Filters packed for cores with SMLAD: two share each 16-bit lane, see runtime_c/include/tinyc_paired_s8.h."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyc.backend.program import Pointer, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array
from tinyc.kernels.base import Builder
from tinyc.ops.conv import channel_multipliers
from tinyc.ops.registry import scale_zero
from tinyc.quantize.numbers import clamp_limits

TILE = 4
MOST_SUM = 1 << 23  # 256 times a sum fits a word
MOST_SHIFT = {False: 16, True: 22}  # by `away`: the addend leaves room for the product


@dataclass(frozen=True)
class Filters:
    """What one layer's filters are before they are packed.

    weights: int64 [filters, depth]; first: int64 [filters], the bias less the input's zero point times the weights'
    sum. multiplier, shift: requantization, shift to the right. away: halves are rounded away from zero, else up, which
    takes fewer instructions and more bytes.
    """

    weights: Array
    first: Array
    multiplier: Array
    shift: Array
    out_zero: int
    clamp: tuple[int, int]
    away: bool

    @property
    def tile_constants(self) -> int:
        """Bytes of requantization in a tile."""
        return 20 if self.away else 48


def must_round_away(graph: Graph[Any], node: Node) -> bool:
    """Whether results below the zero point are not clamped, so that halves of negative values make a difference."""
    y = scale_zero(graph.type(node.outputs[0]))
    return clamp_limits(node.attrs.clamp, *y, (-128, 127))[0] != y[1]


def filters_of(graph: Graph[Any], node: Node, away: bool) -> Filters:
    """Of an integer Conv without groups or a Gemm, filters along the first axis."""
    x, w, y = graph.type(node.inputs[0]), graph.type(node.inputs[1]), graph.type(node.outputs[0])
    weights = graph.data(node.inputs[1]).reshape(w.shape[0], -1).astype(np.int64)
    first = -scale_zero(x)[1] * weights.sum(1)
    if len(node.inputs) > 2 and node.inputs[2]:
        first = first + graph.data(node.inputs[2]).astype(np.int64)
    multiplier, shift = channel_multipliers(x, w, y, len(weights))
    multiplier, right = multiplier.astype(np.int64), -shift.astype(np.int64)
    nothing = multiplier == 0  # a result that is the zero point whatever the sum is, 0 as well
    weights, first = np.where(nothing[:, None], 0, weights), np.where(nothing, 0, first)
    multiplier, right = np.where(nothing, 1 << 30, multiplier), np.where(nothing, 1, right)
    zero = scale_zero(y)[1]
    clamp = clamp_limits(node.attrs.clamp, *scale_zero(y), (-128, 127))
    return Filters(weights, first, multiplier, right, zero, clamp, away)


def packing_obstacle(filters: Filters) -> str | None:
    """Why the filters cannot be packed so that results are exact; None if they can."""
    if len(filters.weights) < TILE:
        return f"fewer than {TILE} filters"
    if filters.clamp != (-128, 127):
        return "results are clamped to less than int8"
    if filters.shift.min() < 1 or filters.shift.max() > MOST_SHIFT[filters.away]:
        return "a scale out of range"
    if filters.weights.min() < -127:
        return "a weight of -128"
    products = np.maximum(-128 * filters.weights, 127 * filters.weights).sum(1)
    lowest = np.minimum(-128 * filters.weights, 127 * filters.weights).sum(1)
    if (filters.first + products).max() >= MOST_SUM or (filters.first + lowest).min() < -MOST_SUM:
        return "sums may exceed 24 bits"
    return None


def pair_order(row: int, rows: int) -> Array:
    """Which weights a step takes, [steps, 2], -1 for none: as tinyc_widen_pair_dsp takes a window's rows."""
    fours = np.arange(row // 4 * 4).reshape(-1, 2, 2).transpose(0, 2, 1).reshape(-1, 2)
    rest = [(k, k + 1 if k + 1 < row else -1) for k in range(row // 4 * 4, row, 2)]
    one = np.concatenate([fours, np.array(rest, np.int64).reshape(-1, 2)])
    return np.concatenate([np.where(one < 0, -1, one + k * row) for k in range(rows)])


def tile_starts(count: int, tile: int = TILE) -> list[int]:
    """The first filter of each tile; where a tile does not divide their number, the first two tiles overlap."""
    rest = count % tile
    return [0, *range(rest or tile, count, tile)]


def packed(filters: Filters, order: Array, apart: bool = False, tile: int = TILE) -> Array:
    """The tiles as int32: first sums, lanes in the given order, requantization.

    apart: requantization stands behind all tiles, once where it is the same for all filters. tile: filters in one; more
    than four have their requantization apart.
    """
    chosen = np.where(order < 0, 0, filters.weights[:, order])  # [filters, steps, 2]
    constants = requantization(filters)
    words: list[Array] = []
    behind: list[Array] = []
    for start in tile_starts(len(filters.weights), tile):
        low, high = slice(start, start + tile, 2), slice(start + 1, start + tile, 2)
        lanes = 256 * chosen[high] + chosen[low]  # [tile / 2, steps, 2]
        both = lane_words(lanes)
        first = np.stack([filters.first[low], 256 * filters.first[high] + filters.first[low]], axis=1)
        last = constants[start : start + tile]
        words += [first.reshape(-1), both.T.reshape(-1)]
        if apart:
            behind.append(last.reshape(-1))
        elif filters.away:
            words += [last[:, 0], (last[:, 2] << 8 * np.arange(TILE)).sum(keepdims=True)]
        else:
            words.append(last.reshape(-1))
    if apart and constant_step(filters) == 0:
        behind = [constants[0]]
    return np.concatenate(words + behind).astype(np.uint32).view(np.int32)


def lane_words(lanes: Array) -> Array:
    """[..., 2] numbers of 16 bits as words."""
    return (lanes[..., 1] << 16) + (lanes[..., 0] & 0xFFFF)


def constant_step(filters: Filters) -> int:
    """Bytes from a filter's requantization to the next one's, where they stand apart."""
    return 0 if len(set(zip(filters.multiplier, filters.shift, strict=True))) == 1 else 12


def requantization(filters: Filters, bits: int = 8) -> Array:
    """Multiplier, addend and shift of each filter as the runtime takes them: [filters, 3].

    bits: how many bits sums are shifted left by, unless halves are rounded away from zero.
    """
    zero, shift = filters.out_zero, filters.shift
    if filters.away:
        constants = (2 * filters.multiplier - (1 << 32), np.full_like(shift, 2 * zero + 1), shift - 1)
    else:
        half = 1 << (bits - 2)
        constants = (filters.multiplier, half + (half << shift) + (zero << (shift + bits - 1)), shift + bits - 1)
    return np.stack(constants, axis=-1)


def packed_argument(
    build: Builder, filters: Filters, order: Array, apart: bool = False, tile: int = TILE
) -> Struct:
    """The packed filters' table, described for the runtime."""
    table = build.table("filter", packed(filters, order, apart, tile), filters=filters.weights.size)
    fields = described(filters, order, apart, tile)
    return Struct("tinyc_paired_filters", (("tiles", Pointer(table.buffer)), *fields.items()))


def described(filters: Filters, order: Array, apart: bool = False, tile: int = TILE) -> dict[str, int]:
    """The fields of tinyc_paired_filters behind its tiles."""
    count = len(filters.weights)
    away = 2 * filters.out_zero + 1 if filters.away else 0
    return {
        "steps": len(order), "count": len(tile_starts(count, tile)), "away": away, "repeated": -count % tile,
        "constant_step": constant_step(filters) if apart else 0,
    }
