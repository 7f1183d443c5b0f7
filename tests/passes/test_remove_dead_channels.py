# SPDX-License-Identifier: Apache-2.0
"""Dead channels: random pruned integer networks compute the same before and after."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tinyc.ir import DType, Editor, Graph, Node, Quant, TensorType, Value
from tinyc.ir.evaluate import evaluate
from tinyc.ir.verify import verify
from tinyc.ops.conv import ConvAttrs
from tinyc.ops.elementwise import BinaryAttrs
from tinyc.ops.gemm import GemmAttrs
from tinyc.ops.pool import PoolAttrs
from tinyc.ops.view import ReshapeAttrs
from tinyc.passes.remove_dead_channels import remove_dead_channels


class Network:
    """Builds a channels-last int8 network with random weights, some filters of which are zero."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.editor = Editor("pruned")
        self.count = 0

    def quant(self) -> Quant:
        return Quant((float(self.rng.uniform(0.02, 0.1)),), (int(self.rng.integers(-20, 20)),))

    def value(self, shape: tuple[int, ...], quant: Quant | None = None) -> str:
        self.count += 1
        type_ = TensorType(DType.INT8, shape, quant or self.quant())
        return self.editor.set_value(Value(f"v{self.count}", type_))

    def add(self, op: str, attrs: Any, inputs: list[str], shape: tuple[int, ...], quant: Quant | None = None) -> str:
        output = self.value(shape, quant)
        self.editor.add(Node(f"n{self.count}", op, attrs, tuple(inputs), (output,), True, self.count))
        return output

    def weights(self, shape: tuple[int, ...], zero: float) -> tuple[str, str]:
        w = self.rng.integers(-127, 128, shape).astype(np.int8)
        w[self.rng.random(shape[0]) < zero] = 0
        w[..., self.rng.random(shape[-1]) < zero / 2] = 0
        scale = tuple(float(s) for s in self.rng.uniform(0.001, 0.01, shape[0]))
        weights = self.editor.const("w", w, TensorType(DType.INT8, shape, Quant(scale, (0,) * shape[0], 0)))
        bias = self.rng.integers(-3000, 3000, shape[0]).astype(np.int32)
        return weights, self.editor.const("b", bias, TensorType(DType.INT32, bias.shape))

    def conv(self, x: str, channels: int, kernel: int = 1, pad: int = 0, zero: float = 0.4) -> str:
        n, h, w, c = self.editor.view().type(x).shape
        weights, bias = self.weights((channels, kernel, kernel, c), zero)
        out = h + 2 * pad - kernel + 1
        clamp = (0.0, 6.0) if self.rng.random() < 0.7 else None
        attrs = ConvAttrs((1, 1), (1, 1), (pad,) * 4, 1, clamp, True)
        quant = Quant((0.05,), (-128,)) if clamp else None
        return self.add("Conv", attrs, [x, weights, bias], (n, out, out, channels), quant)

    def depthwise(self, x: str, zero: float = 0.3) -> str:
        n, h, w, c = self.editor.view().type(x).shape
        weights, bias = self.weights((c, 3, 3, 1), zero)
        attrs = ConvAttrs((1, 1), (1, 1), (1,) * 4, c, (0.0, 6.0), True)
        return self.add("Conv", attrs, [x, weights, bias], (n, h, w, c), Quant((0.05,), (-128,)))

    def done(self, inputs: list[str], output: str) -> Graph[Any]:
        self.editor.inputs, self.editor.outputs = tuple(inputs), (output,)
        return self.editor.done()


def network(seed: int) -> Graph[Any]:
    net = Network(seed)
    x = net.value((1, 6, 6, 3))
    a = net.conv(x, 12, 3, 1)
    b = net.depthwise(a)
    c = net.conv(b, 12)
    d = net.add("Add", BinaryAttrs((0.0, 6.0)), [a, c], (1, 6, 6, 12), Quant((0.06,), (-128,)))
    e = net.conv(d, 10, 3, seed % 2)
    n, h, w, channels = net.editor.view().type(e).shape
    quant = net.editor.view().type(e).quant
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
