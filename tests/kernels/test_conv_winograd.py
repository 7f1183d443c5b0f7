# SPDX-License-Identifier: Apache-2.0
"""Winograd convolutions: chosen for speed within a bound of flash, exact, in place; and when they do not apply."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_shadow import of_graph, watch

from integer_networks import Network
from tinyc.cases import Cases
from tinyc.ir import Graph
from tinyc.ir.evaluate import evaluate
from tinyc.kernels.base import Options
from tinyc.kernels.choose import LIMITS
from tinyc.kernels.conv_winograd_s8 import ConvWinogradS8
from tinyc.kernels.paired_filters import Filters
from tinyc.kernels.winograd_filters import POSITIONS, packed_winograd, packed_words, transformed, winograd_obstacle
from tinyc.ops.conv import ConvAttrs
from tinyc.targets import load_target
from tinyc.verification import run_cases

NAME = "tinyc_convolve_winograd_s8"


def convolution(net: Network, x: str, channels: int, pads: tuple[int, int, int, int], **changes) -> str:
    n, h, w, c = net.editor.view().type(x).shape
    group = changes.get("group", 1)
    weights, bias = net.weights((channels, 3, 3, c // group), 0.0)
    attrs = {"strides": (1, 1), "dilations": (1, 1), "pads": pads, "group": 1, "clamp": None} | changes
    (sy, sx), (dy, dx) = attrs["strides"], attrs["dilations"]
    high, wide = (h + pads[0] + pads[2] - 1 - 2 * dy) // sy + 1, (w + pads[1] + pads[3] - 1 - 2 * dx) // sx + 1
    return net.add("Conv", ConvAttrs(**attrs, channels_last=True), [x, weights, bias], (n, high, wide, channels))


def chain(seed: int, shape: tuple[int, int, int], channels: tuple[int, ...]) -> Graph:
    net = Network(seed)
    first = x = net.value((1, *shape))
    for count, pads, clamp in zip(channels, ((1, 1, 1, 1), (0, 1, 2, 1), (1, 0, 0, 2), (2, 2, 2, 2)),
                                  (None, (0.0, 6.0), None, (0.0, 6.0)), strict=False):  # fmt: skip
        x = convolution(net, x, count, pads, clamp=clamp)
    return net.done([first], x)


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m7", "cortex-m33"])
def test_chains_of_layers(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all the flash that they want."""
    monkeypatch.delitem(LIMITS, "speed")
    for seed, (shape, channels) in enumerate([
        ((13, 10, 16), (16, 20, 12)), ((9, 12, 20), (12, 16, 8)), ((7, 7, 8), (8, 16, 16, 4)),
    ]):  # fmt: skip
        graph = chain(seed, shape, channels)
        compiled = of_graph(graph, target, optimize="speed")
        assert sum(step.kernel == NAME for step in compiled.program.steps) > 1
        rng = np.random.default_rng(seed)
        x = rng.integers(-128, 128, (1, *shape)).astype(np.int8)
        cases = Cases(((x,),), None)
        outputs, _ = run_cases(compiled, cases)
        np.testing.assert_array_equal(outputs[0][0], evaluate(graph, {graph.inputs[0]: x})[graph.outputs[0]])
        watch(compiled, cases)


def test_flash_is_spent_where_it_saves_most() -> None:
    """Large images with few channels come first; with the last layers of this network, flash would double."""
    net = Network(3)
    first = x = net.value((1, 24, 24, 16))
    x = convolution(net, x, 16, (1, 1, 1, 1))
    x = convolution(net, x, 96, (0, 0, 0, 0), strides=(4, 4))
    for _ in range(2):
        x = convolution(net, x, 96, (1, 1, 1, 1))
    graph = net.done([first], x)
    compiled = {o: of_graph(graph, "cortex-m4", optimize=o) for o in ("speed", "default", "size", "ram")}
    assert [step.kernel == NAME for step in compiled["speed"].program.steps] == [True, False, False, False]
    for other in ("default", "size", "ram"):
        assert all(step.kernel != NAME for step in compiled[other].program.steps)


def test_single_rows_are_left_to_other_kernels() -> None:
    for pads, reason in (((1, 1, 1, 1), None), ((0, 1, 0, 1), "half of each tile would lie outside the result")):
        net = Network(4)
        x = net.value((1, 3, 16, 16))
        graph = net.done([x], convolution(net, x, 16, pads))
        node = next(iter(graph.nodes()))
        assert ConvWinogradS8().obstacle(graph, node, Options(load_target("cortex-m4"), optimize="speed")) == reason


FITTING = Filters(np.ones((5, 36), np.int64), np.zeros(5, np.int64), np.full(5, 3 << 29), np.full(5, 8), -128,
                  (-128, 127), False)  # fmt: skip


def test_transformed_weights_fit_their_lanes() -> None:
    most = transformed(replace(FITTING, weights=np.full((5, 36), 127)), 4)
    assert most.shape == (5, POSITIONS, 4) and most.max() == 9 * 127
    assert packed_winograd(FITTING, 4).size == packed_words(5, 4)


def test_what_cannot_be_packed() -> None:
    assert winograd_obstacle(FITTING, 4) is None
    assert "multiple of four" in str(winograd_obstacle(replace(FITTING, weights=np.ones((5, 54), np.int64)), 6))
    assert "24 bits" in str(winograd_obstacle(replace(FITTING, first=np.full(5, 1 << 23)), 4))


@pytest.mark.parametrize(
    ("reason", "change"),
    [("stride", {"strides": (1, 2)}), ("stride", {"dilations": (2, 2)}), ("grouped", {"group": 2})],
)
def test_obstacles(reason: str, change: dict) -> None:
    net = Network(2)
    x = net.value((1, 9, 9, 8))
    graph = net.done([x], convolution(net, x, 8, (1, 1, 1, 1), **change))
    node = next(iter(graph.nodes()))
    found = ConvWinogradS8().obstacle(graph, node, Options(load_target("cortex-m4"), optimize="speed"))
    assert found is not None and reason in found
    elsewhere = ConvWinogradS8().obstacle(graph, node, Options(load_target("cortex-m3"), optimize="speed"))
    assert elsewhere is not None and "SMLAD" in elsewhere
    for optimize in ("default", "size", "ram"):
        other = ConvWinogradS8().obstacle(graph, node, Options(load_target("cortex-m4"), optimize=optimize))
        assert other is not None and "speed" in other
