# SPDX-License-Identifier: Apache-2.0
"""Packing of filters in pairs: the requantization that it stands for, the order of weights, and when it is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_shadow import of_graph

from integer_networks import Network
from tinyc.cases import Cases
from tinyc.ir import Quant
from tinyc.ir.evaluate import evaluate
from tinyc.kernels.conv_paired_s8 import ConvPairedCompactS8, ConvPairedS8
from tinyc.kernels.fully_connected_paired_s8 import FullyConnectedPaired8S8, FullyConnectedPairedS8
from tinyc.kernels.paired_filters import (
    Filters,
    described,
    packed,
    packing_obstacle,
    pair_order,
    requantization,
    tile_starts,
)
from tinyc.ops.conv import ConvAttrs
from tinyc.ops.gemm import GemmAttrs
from tinyc.quantize.numbers import requantize
from tinyc.verification import run_cases

FITTING = Filters(np.ones((5, 6), np.int64), np.zeros(5, np.int64), np.full(5, 3 << 29), np.full(5, 8), -128,
                  (-128, 127), False)


@pytest.mark.parametrize(("zero", "away"), [(-128, False), (-128, True), (-5, True), (127, True)])
@pytest.mark.parametrize("multiplier", [1 << 30, (1 << 31) - 1, 1278221421, 2014729843])
@pytest.mark.parametrize("shift", range(1, 17))
def test_constants_stand_for_the_specification(shift: int, multiplier: int, zero: int, away: bool) -> None:
    one = np.full(4, 1)
    filters = Filters(one[:, None], 0 * one, multiplier * one, shift * one, zero, (-128, 127), away)
    order = np.array([[0, -1]])
    constants = packed(filters, order)[6:]
    assert constants.nbytes == filters.tile_constants
    factor, addend, right = (int(v) for v in constants[:3])
    if away:
        addend, right = described(filters, order)["away"], int(constants[4]) >> 24
        assert (constants[:4] == factor).all() and constants[4] == right * 0x01010101
    near, rng = np.arange(-(1 << 16), 1 << 16), np.random.default_rng(shift)
    sums = np.concatenate([near, near * 31, rng.integers(-(1 << 23), 1 << 23, 1 << 16), [-(1 << 23), (1 << 23) - 1]])
    expected = np.clip(requantize(sums, multiplier, -shift) + zero, -128, 127)
    if away:
        rounded = (sums * (factor + (1 << 32)) + (1 << 31)) >> 32
        value = (((rounded - (rounded < 0)) >> right) + addend) >> 1
    else:
        value = (256 * sums * factor >> 32) + addend
        assert abs(value).max() < 1 << 31
        value >>= right
    np.testing.assert_array_equal(np.clip(value, -128, 127), expected)
    if not away:  # sums times 4 in place of 256
        factor, addend, right = (int(v) for v in requantization(filters, 2)[0])
        np.testing.assert_array_equal(np.clip((4 * sums * factor >> 32) + addend >> right, -128, 127), expected)


@pytest.mark.parametrize(("row", "rows"), [(1, 1), (2, 3), (3, 2), (4, 10), (9, 3), (64, 1), (7, 2)])
def test_every_weight_has_its_place(row: int, rows: int) -> None:
    order = pair_order(row, rows)
    assert len(order) == (row + 1) // 2 * rows
    assert sorted(order[order >= 0]) == list(range(row * rows))


@pytest.mark.parametrize("tile", [4, 8])
def test_tiles_cover_all_filters(tile: int) -> None:
    for count in range(tile, 30):
        starts = tile_starts(count, tile)
        assert len(starts) == -(-count // tile) and starts[-1] + tile == count
        assert {s + k for s in starts for k in range(tile)} == set(range(count))


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


@pytest.mark.parametrize("filters", [64, 66])
def test_size_builds_take_the_compact_form(filters: int) -> None:
    """Where halves need not be rounded away from zero, both forms apply, and give the same bytes."""
    net = Network(filters)
    first = net.value((1, 12, 5, 8))
    attrs = ConvAttrs((1, 1), (1, 1), (0,) * 4, 1, (0.0, 6.0), True)
    relu = Quant((6 / 255,), (-128,))
    last = net.add("Conv", attrs, [first, *net.weights((filters, 1, 1, 8), 0.0)], (1, 12, 5, filters), relu)
    graph = net.done([first], last)
    x = np.random.default_rng(1).integers(-128, 128, (1, 12, 5, 8)).astype(np.int8)
    expected = evaluate(graph, {graph.inputs[0]: x})[graph.outputs[0]]
    bytes_of = {}
    for optimize, kernel in (("speed", ConvPairedS8), ("size", ConvPairedCompactS8)):
        compiled = of_graph(graph, "cortex-m4", optimize=optimize)
        assert [step.kernel for step in compiled.program.steps] == [kernel.name]
        bytes_of[optimize] = compiled.report["weights_bytes"]
        outputs, _ = run_cases(compiled, Cases(((x,),), None))
        np.testing.assert_array_equal(outputs[0][0], expected)
    assert bytes_of["speed"] - bytes_of["size"] == 28 * len(tile_starts(filters))


@pytest.mark.parametrize(
    ("outputs", "per_channel", "optimize", "kernel"),
    [
        (64, False, "speed", FullyConnectedPaired8S8),
        (64, False, "size", FullyConnectedPairedS8),  # 376 bytes less code
        (60, False, "speed", FullyConnectedPairedS8),
        (64, True, "speed", FullyConnectedPairedS8),
    ],
)
def test_fully_connected_layers_go_by_eight_where_they_can(
    outputs: int, per_channel: bool, optimize: str, kernel: type
) -> None:
    net = Network(7)
    first = net.value((1, 64))
    weights = net.weights((outputs, 64), 0.0, per_channel=per_channel)
    graph = net.done([first], net.add("Gemm", GemmAttrs(), [first, *weights], (1, outputs), Quant((0.5,), (3,))))
    compiled = of_graph(graph, "cortex-m4", optimize=optimize)
    assert [step.kernel for step in compiled.program.steps] == [kernel.name]
    x = np.random.default_rng(2).integers(-128, 128, (1, 64)).astype(np.int8)
    results, _ = run_cases(compiled, Cases(((x,),), None))
    np.testing.assert_array_equal(results[0][0], evaluate(graph, {graph.inputs[0]: x})[graph.outputs[0]])
