# SPDX-License-Identifier: Apache-2.0
"""Dead channels: random pruned integer networks compute the same before and after."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from integer_networks import Network
from tinyc.ir import Graph, Quant
from tinyc.ir.evaluate import evaluate
from tinyc.ir.verify import verify
from tinyc.ops.elementwise import BinaryAttrs
from tinyc.ops.gemm import GemmAttrs
from tinyc.ops.pool import PoolAttrs
from tinyc.ops.view import ReshapeAttrs
from tinyc.passes.remove_dead_channels import remove_dead_channels


def network(seed: int) -> Graph[Any]:
    net = Network(seed)
    x = net.value((1, 6, 6, 3))
    a = net.conv(x, 12, 3, 1)
    b = net.depthwise(a)
    c = net.conv(b, 12)
    d = net.add("Add", BinaryAttrs((0.0, 6.0)), [a, c], (1, 6, 6, 12), Quant((0.06,), (-128,)))
    e = net.conv(d, 10, 3, seed % 2)
    n, h, w, channels = net.editor.view().type(e).shape
    quant = Quant((0.021,), (-100,)) if seed % 3 == 0 else net.editor.view().type(e).quant
    pool = PoolAttrs((h, w), (1, 1), (1, 1), (0,) * 4, channels_last=True)
    f = net.add("AveragePool", pool, [e], (1, 1, 1, channels), quant)
    g = net.add("Reshape", ReshapeAttrs((1, channels)), [f], (1, channels), quant)
    weights, bias = net.weights((5, channels), 0.2)
    return net.done([x], net.add("Gemm", GemmAttrs(), [g, weights, bias], (1, 5)))


def filter_bytes(graph: Graph[Any]) -> int:
    return sum(graph.type(n.inputs[1]).bytes for n in graph.nodes() if n.op in ("Conv", "Gemm"))


@pytest.mark.parametrize("seed", range(40))
def test_same_results(seed: int) -> None:
    graph = network(seed)
    verify(graph)
    cut = remove_dead_channels(graph)
    verify(cut)
    assert filter_bytes(cut) < filter_bytes(graph)
    rng = np.random.default_rng(seed)
    for extreme in (False, True):
        x = rng.choice([-128, 127], (1, 6, 6, 3)) if extreme else rng.integers(-128, 128, (1, 6, 6, 3))
        before = evaluate(graph, {graph.inputs[0]: x.astype(np.int8)})[graph.outputs[0]]
        after = evaluate(cut, {cut.inputs[0]: x.astype(np.int8)})[cut.outputs[0]]
        assert np.array_equal(before, after)


def test_the_given_graph_is_left_alone() -> None:
    graph = network(0)
    size = filter_bytes(graph)
    remove_dead_channels(graph)
    assert filter_bytes(graph) == size


def test_a_network_without_dead_channels_is_unchanged() -> None:
    net = Network(1)
    x = net.value((1, 4, 4, 3))
    graph = net.done([x], net.conv(x, 4, zero=0.0))
    assert remove_dead_channels(graph) is graph


def test_outputs_keep_their_shape() -> None:
    net = Network(2)
    x = net.value((1, 4, 4, 3))
    graph = net.done([x], net.conv(x, 16, zero=0.8))
    cut = remove_dead_channels(graph)
    assert cut.type(cut.outputs[0]).shape == (1, 4, 4, 16)
