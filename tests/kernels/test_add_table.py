# SPDX-License-Identifier: Apache-2.0
"""Add and Sub by a table for one operand: which operand, exact, in place, and where it does not apply."""

from __future__ import annotations

import numpy as np
import pytest
from test_shadow import of_graph, watch

from integer_networks import Network
from tinyc.cases import Cases
from tinyc.ir import Graph, Quant
from tinyc.ir.evaluate import evaluate
from tinyc.kernels.add_table_s8 import AddTableS8
from tinyc.kernels.base import Options
from tinyc.ops.elementwise import BinaryAttrs
from tinyc.targets import load_target
from tinyc.verification import run_cases

SHAPE = (1, 20, 20, 3)


def graph_of(op: str, scales: tuple[float, float, float], shape=SHAPE, clamp=None) -> Graph:
    net = Network(3)
    first = net.value(SHAPE, Quant((scales[0],), (-7,)))
    second = net.value(shape, Quant((scales[1],), (11,)))
    y = net.add(op, BinaryAttrs(clamp), [first, second], SHAPE, Quant((scales[2],), (4,)))
    return net.done([first, second], y)


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m7", "cortex-m33"])
def test_sums_and_differences(target: str) -> None:
    rng = np.random.default_rng(9)
    for op, scales, clamp in (
        ("Add", (0.05, 0.02, 0.06), None), ("Add", (0.01, 0.03, 0.002), (0.0, 6.0)), ("Add", (0.04, 0.04, 0.1), None),
        ("Sub", (0.05, 0.02, 0.06), (-1.0, 0.3)),
    ):
        graph = graph_of(op, scales, clamp=clamp)
        compiled = of_graph(graph, target, optimize="speed")
        assert [step.kernel for step in compiled.program.steps] == [AddTableS8.name]
        assert compiled.arena.bytes == 2 * 1200
        a, b = (rng.integers(-128, 128, SHAPE).astype(np.int8) for _ in range(2))
        expected = evaluate(graph, dict(zip(graph.inputs, (a, b), strict=True)))[graph.outputs[0]]
        cases = Cases(((a, b),), None)
        outputs, _ = run_cases(compiled, cases)
        np.testing.assert_array_equal(outputs[0][0], expected)
        watch(compiled, cases)


@pytest.mark.parametrize(
    ("reason", "graph"),
    [("no operand counts half", graph_of("Sub", (0.02, 0.05, 0.06))),
     ("broadcast", graph_of("Add", (0.05, 0.02, 0.06), (1, 1, 1, 3))),
     ("not scaled down", graph_of("Add", (0.05, 0.02, 1e9)))],
    ids=lambda p: p if isinstance(p, str) else "",
)
def test_obstacles(reason: str, graph: Graph) -> None:
    node = next(iter(graph.nodes()))
    found = AddTableS8().obstacle(graph, node, Options(load_target("cortex-m4")))
    assert found is not None and reason in found
    elsewhere = AddTableS8().obstacle(graph, node, Options(load_target("cortex-m0plus")))
    assert elsewhere is not None and "DSP" in elsewhere
