# SPDX-License-Identifier: Apache-2.0
"""Filters of 3x3 convolutions transformed for Winograd's F(2x2, 3x3), see runtime_c/include/tinyc_winograd_s8.h."""

from __future__ import annotations

import numpy as np

from tinyc.ir.types import Array
from tinyc.kernels.paired_filters import (
    TILE,
    Filters,
    lane_words,
    packing_obstacle,
    pair_order,
    requantization,
    tile_starts,
)

TRANSFORM = np.array([[1, 1, 1], [1, -1, 1], [2, 0, 0], [0, 0, 2]])  # along an axis, times 2
POSITIONS = len(TRANSFORM) ** 2


def winograd_obstacle(filters: Filters, channels: int) -> str | None:
    """Why results would not be exact, or the runtime cannot take the filters; None if all is well.

    Sums at the positions may leave 32 bits: results are made of them by additions alone, so it is enough that four
    times the results' sums fit, which packing_obstacle keeps within 24 bits.
    """
    return "channels are not a multiple of four" if channels % 4 else packing_obstacle(filters)


def transformed(filters: Filters, channels: int) -> Array:
    """Four times the weights at each position: int64 [filters, positions, channels], at most 9 * 127."""
    weights = filters.weights.reshape(-1, 3, 3, channels)
    at_positions: Array = np.einsum("ia,jb,fabc->fjic", TRANSFORM, TRANSFORM, weights)
    return at_positions.reshape(-1, POSITIONS, channels)


def packed_winograd(filters: Filters, channels: int) -> Array:
    """The tiles as int32: first sums, words [position][step][filter], requantization."""
    words = lane_words(transformed(filters, channels)[..., pair_order(channels, 1)])  # [filters, positions, steps]
    constants = requantization(filters, 2)
    parts: list[Array] = []
    for start in tile_starts(len(words)):
        tile = slice(start, start + TILE)
        parts += [4 * filters.first[tile], words[tile].transpose(1, 2, 0).reshape(-1), constants[tile].reshape(-1)]
    return np.concatenate(parts).astype(np.uint32).view(np.int32)


def packed_words(filters: int, channels: int) -> int:
    """Words of the tiles."""
    return len(tile_starts(filters)) * TILE * (4 + POSITIONS * channels // 2)
