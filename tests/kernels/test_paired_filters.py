# SPDX-License-Identifier: Apache-2.0
"""Packing of filters in pairs: the requantization that it stands for, the order of weights, and when it is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinyc.kernels.paired_filters import Filters, packed, packing_obstacle, pair_order, tile_starts
from tinyc.quantize.numbers import requantize

FITTING = Filters(np.ones((5, 6), np.int64), np.zeros(5, np.int64), np.full(5, 3 << 29), np.full(5, 8), -128,
                  (-128, 127))


@pytest.mark.parametrize("zero", [-128, -5, 127])
@pytest.mark.parametrize("multiplier", [1 << 30, (1 << 31) - 1, 1278221421, 2014729843])
@pytest.mark.parametrize("shift", range(1, 17))
def test_constants_stand_for_the_specification(shift: int, multiplier: int, zero: int) -> None:
    one = np.full(4, 1)
    filters = Filters(one[:, None], 0 * one, multiplier * one, shift * one, zero, (-128, 127))
    factor, addend, right = (int(v) for v in packed(filters, np.array([[0, -1]])).astype(np.int64)[-12:-9])
    near, rng = np.arange(-(1 << 16), 1 << 16), np.random.default_rng(shift)
    sums = np.concatenate([near, near * 31, rng.integers(-(1 << 23), 1 << 23, 1 << 16), [-(1 << 23), (1 << 23) - 1]])
    expected = np.clip(requantize(sums, multiplier, -shift) + zero, -128, 127)
    if filters.away:
        rounded = (sums * (factor + (1 << 32)) + (1 << 31)) >> 32
        value = rounded - (rounded < 0) + addend
    else:
        value = (256 * sums * factor >> 32) + addend
    assert abs(value).max() < 1 << 31
    np.testing.assert_array_equal(np.clip(value >> right, -128, 127), expected)


@pytest.mark.parametrize(("row", "rows"), [(1, 1), (2, 3), (3, 2), (4, 10), (9, 3), (64, 1), (7, 2)])
def test_every_weight_has_its_place(row: int, rows: int) -> None:
    order = pair_order(row, rows)
    assert len(order) == (row + 1) // 2 * rows
    assert sorted(order[order >= 0]) == list(range(row * rows))


def test_tiles_cover_all_filters() -> None:
    for count in range(4, 30):
        starts = tile_starts(count)
        assert len(starts) == -(-count // 4) and starts[-1] + 4 == count
        assert {s + k for s in starts for k in range(4)} == set(range(count))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"weights": np.ones((3, 6), np.int64)}, "fewer than 4"),
        ({"clamp": (-128, 100)}, "clamped"),
        ({"shift": np.full(5, 0)}, "scale"),
        ({"shift": np.full(5, 17)}, "scale"),
        ({"weights": np.full((5, 6), -128)}, "-128"),
        ({"first": np.full(5, (1 << 23) - 6 * 127)}, "24 bits"),
        ({"first": np.full(5, -(1 << 23) + 6 * 128 - 1)}, "24 bits"),
    ],
)
def test_what_cannot_be_packed(changes: dict, reason: str) -> None:
    assert packing_obstacle(FITTING) is None
    assert reason in str(packing_obstacle(replace(FITTING, **changes)))
