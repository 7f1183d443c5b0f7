# SPDX-License-Identifier: Apache-2.0
"""The 3x3 depthwise kernel of cores with the DSP extension: chosen, exact, in place, and how far."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from test_shadow import of_graph, watch

from integer_networks import Network
from tinyc.cases import Cases
from tinyc.ir import DType, Graph, TensorType
from tinyc.ir.evaluate import evaluate
from tinyc.kernels.base import Options
from tinyc.kernels.depthwise_3x3_s8 import Depthwise3x3S8, Layout
from tinyc.ops.conv import ConvAttrs
from tinyc.targets import load_target
from tinyc.verification import run_cases

NAME = "tinyc_depthwise_3x3_s8"


def depthwise(net: Network, x: str, stride: int, pads: tuple[int, int, int, int], channels: int = 0, **changes) -> str:
    n, h, w, c = net.editor.view().type(x).shape
    weights, bias = net.weights((channels or c, 3, 3, 1), 0.0)
    high, wide = (h + pads[0] + pads[2] - 3) // stride + 1, (w + pads[1] + pads[3] - 3) // stride + 1
    attrs = {"strides": (stride,) * 2, "dilations": (1, 1), "pads": pads, "group": c, "clamp": None} | changes
    return net.add("Conv", ConvAttrs(**attrs, channels_last=True), [x, weights, bias], (n, high, wide, channels or c))


def chain(seed: int, shape: tuple[int, int, int]) -> Graph:
    net = Network(seed)
    first = x = net.value((1, *shape))
    for stride, pads, clamp in (
        (1, (1, 1, 1, 1), None), (1, (1, 1, 1, 1), (-0.5, 1.0)), (2, (0, 0, 1, 1), None), (1, (0, 1, 2, 1), None),
        (2, (1, 1, 1, 1), (0.0, 6.0)), (1, (1, 0, 1, 1), None),
    ):
        x = depthwise(net, x, stride, pads, clamp=clamp)
    return net.done([first], x)


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m7", "cortex-m33"])
def test_chains_of_layers(target: str) -> None:
    for seed, shape in enumerate([(25, 6, 12), (12, 15, 8), (13, 11, 5), (16, 16, 3)]):
        graph = chain(seed, shape)
        compiled = of_graph(graph, target, optimize=("speed", "default", "size", "ram")[seed])
        assert seed == 3 or sum(step.kernel == NAME for step in compiled.program.steps) > 3
        rng = np.random.default_rng(seed)
        x = rng.integers(-128, 128, (1, *shape)).astype(np.int8)
        expected = evaluate(graph, {graph.inputs[0]: x})[graph.outputs[0]]
        cases = Cases(((x,),), None)
        outputs, _ = run_cases(compiled, cases)
        np.testing.assert_array_equal(outputs[0][0], expected)
        watch(compiled, cases)


def test_results_lie_on_their_images() -> None:
    """A layer of stride 1 adds its scratch to the arena and nothing else."""
    net = Network(1)
    first = x = net.value((1, 20, 8, 16))
    for _ in range(3):
        x = depthwise(net, x, 1, (1, 1, 1, 1))
    compiled = of_graph(net.done([first], x), "cortex-m4")
    assert compiled.arena.bytes == 20 * 8 * 16 + max(step.scratch_bytes for step in compiled.program.steps)
    assert compiled.arena.align == 8


def sound(layout: Layout, delta: int) -> bool:
    """Whether no result of one channel is written where a line of the image is still to be read, by trying it."""
    own, out = layout.lines(layout.x), layout.lines(layout.y)
    pad = layout.pads[1] if layout.by_columns else layout.pads[0]
    read = {line * own.line_step + i * own.step: line for line in range(own.lines) for i in range(own.length)}
    return all(read.get(line * out.line_step + i * out.step + delta, 0) < line * layout.stride - pad + 3
               for line in range(out.lines) for i in range(out.length))


def test_how_far_results_may_run_over_their_images() -> None:
    for h, w, stride, by_columns, top, left, behind in product((1, 4, 7), (1, 3, 6), (1, 2), (False, True), (0, 1),
                                                               (0, 1), (0, 1)):
        high, wide = (h + top + behind - 3) // stride + 1, (w + left + 1 - 3) // stride + 1
        if high < 1 or wide < 1:
            continue
        x, y = (TensorType(DType.INT8, (1, *extent, 5)) for extent in ((h, w), (high, wide)))
        layout = Layout(x, y, stride, (top, left, behind, 1), by_columns)
        if layout.overlap is not None:
            below = range(layout.overlap // layout.pitch * layout.pitch, -y.bytes - layout.pitch, -layout.pitch)
            assert all(sound(layout, delta) for delta in below), layout
        if layout.overlap is not None and layout.overlap < x.bytes:
            assert not sound(layout, (layout.overlap // 5 + 1) * 5), layout


@pytest.mark.parametrize(
    ("reason", "change"),
    [("strides", {"strides": (1, 2)}), ("strides", {"dilations": (2, 2)}), ("padding", {"pads": (2, 1, 1, 1)}),
     ("window", {"channels": 8})],
)
def test_obstacles(reason: str, change: dict) -> None:
    net = Network(2)
    x = net.value((1, 9, 9, 4))
    settings = {"stride": 1, "pads": (1, 1, 1, 1)} | change
    y = depthwise(net, x, settings.pop("stride"), settings.pop("pads"), **settings)
    graph = net.done([x], y)
    node = next(iter(graph.nodes()))
    found = Depthwise3x3S8().obstacle(graph, node, Options(load_target("cortex-m4")))
    assert found is not None and reason in found
    elsewhere = Depthwise3x3S8().obstacle(graph, node, Options(load_target("cortex-m3")))
    assert elsewhere is not None and "DSP" in elsewhere
