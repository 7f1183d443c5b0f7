# SPDX-License-Identifier: Apache-2.0
"""The plans of 200 random graphs with branches, residuals and concats: bounds, claims, and a shadow run of each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_random_graphs import random_model

from integer_networks import Network
from support import graph_of
from tinyc.cases import random_cases
from tinyc.compiler import Compiled, Request, compile_imported
from tinyc.frontend import Imported
from tinyc.ir import Graph
from tinyc.kernels.base import Options
from tinyc.kernels.lower import lower
from tinyc.ops.concat import ConcatAttrs
from tinyc.ops.elementwise import BinaryAttrs
from tinyc.plan.arena import plan_arena
from tinyc.plan.order import step_graph
from tinyc.plan.schedule import exact_sharings, peak_of
from tinyc.shadow import shadow_run
from tinyc.targets import load_target

EFFORT = 0.5


def convolutional(seed: int, size: int) -> Graph[Any]:
    """Convolutions and poolings with residuals, branches that meet in Add or Concat, and several outputs."""
    net = Network(seed)
    rng = np.random.default_rng(seed)
    values = [net.value((1, int(rng.integers(5, 9)), int(rng.integers(5, 9)), int(rng.integers(1, 7))))]
    first = values[0]
    shapes = {first: net.editor.view().type(first).shape}

    def note(value: str) -> None:
        values.append(value)
        shapes[value] = net.editor.view().type(value).shape

    while len(values) < size:
        x = values[max(0, len(values) - int(rng.geometric(0.6)))]
        n, h, w, c = shapes[x]
        alike = [v for v in values if shapes[v] == shapes[x] and v != x]
        beside = [v for v in values if shapes[v][:3] == shapes[x][:3] and v != x]
        kind = int(rng.integers(7))
        if kind <= 1 and alike:
            other = alike[int(rng.integers(len(alike)))]
            note(net.add("Add", BinaryAttrs(), [x, other] if kind else [other, x], shapes[x]))
        elif kind == 2 and beside and c < 16:
            other = beside[int(rng.integers(len(beside)))]
            quant = net.editor.view().type(x).quant
            if net.editor.view().type(other).quant == quant:
                note(net.add("Concat", ConcatAttrs(3), [x, other], (n, h, w, c + shapes[other][3]), quant))
        elif kind == 3:
            note(net.depthwise(x, 0.0))
        elif kind == 4 and min(h, w) > 4:
            note(net.pool(x, "MaxPool" if rng.random() < 0.5 else "AveragePool", 2, int(rng.integers(1, 3))))
        else:
            kernel = int(rng.choice([1, 1, 3]))
            note(net.conv(x, int(rng.choice([c, 4, 8])), kernel, kernel // 2, 0.0))
    view = net.editor.view()
    read = {i for node in view.nodes() for i in node.inputs}
    outputs = tuple(v for v in values[1:] if v not in read)
    net.editor.inputs, net.editor.outputs = (first,), outputs
    return net.editor.done()


def graph(seed: int, size: int | None = None) -> Graph[Any]:
    if seed % 2:
        return convolutional(seed, size or 8 + seed % 17)
    return graph_of(random_model(seed, seed % 4 == 0, size or 12 + seed % 20).proto())


def compiled(net: Graph[Any], effort: float = EFFORT) -> Compiled:
    names = [f"o{k}" for k in range(len(net.outputs))]
    request = Request(Path("net.onnx"), load_target("host"), plan_effort=effort)
    return compile_imported(Imported(net, "net", "", {}, (), net.inputs, tuple(names)), request)


@pytest.mark.parametrize("block", [pytest.param(k, marks=pytest.mark.slow if k > 3 else ()) for k in range(20)])
def test_plans(block: int) -> None:
    better = 0
    for seed in range(10 * block, 10 * block + 10):
        result = compiled(graph(seed))
        arena = result.arena
        assert arena.bytes <= arena.bound, seed
        options = Options(load_target("host"))
        own = plan_arena(lower(result.graph, options, "net"), "arena", EFFORT)
        assert arena.bytes <= own.bytes, seed
        better += arena.bytes < arena.bound
        report = shadow_run(result, random_cases(result.emitted.inputs, 1))
        assert report.passed, (seed, report.first)
    assert better >= 3


def orders(steps: int, before: set[tuple[int, int]]) -> Iterator[tuple[int, ...]]:
    """All orders of the steps that the pairs (earlier, later) allow."""
    for order in itertools.permutations(range(steps)):
        place = {step: k for k, step in enumerate(order)}
        if all(place[a] < place[b] for a, b in before):
            yield order


def test_proven_means_proven() -> None:
    """Small graphs: no order of the steps has a placement of fewer bytes. Placement itself is checked by brute force
    in tests/plan."""
    claims = several = 0
    for seed in range(40):
        result = compiled(graph(seed, 7), effort=2.0)
        program = lower(result.graph, Options(load_target("host")), "net")
        if not result.arena.proven_optimal or not 3 <= len(program.steps) <= 7:
            continue
        steps = step_graph(program, "arena")
        before = {(t.producer, c) for t in steps.tensors for c in t.consumers if t.producer is not None}
        claims += 1
        found = []
        for order in itertools.islice(orders(len(program.steps), before), 60):
            found.append(plan_arena(lower(result.graph, Options(load_target("host")), "net",
                                          [program.steps[k].name for k in order]), "arena", 2.0).bytes)
            assert not exact_sharings(steps) or peak_of(steps, order) <= found[-1], (seed, order)
        several += len(found) > 1
        assert result.arena.bytes == min(found), seed
    assert claims >= 10 and several >= 5
