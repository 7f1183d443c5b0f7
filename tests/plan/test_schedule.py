# SPDX-License-Identifier: Apache-2.0
"""Operator order: against every order there is on small graphs, and its limits on large ones."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyc.plan import PlacementError, Sharing, StepGraph, Tensor, best_order, peak_of


@st.composite
def step_graphs(draw: st.DrawFn, most_steps: int = 6) -> StepGraph:
    steps = draw(st.integers(1, most_steps))
    tensors = []
    for _ in range(draw(st.integers(0, 3))):
        consumers = draw(st.sets(st.integers(0, steps - 1), max_size=3))
        tensors.append(Tensor(draw(st.integers(1, 20)), None, tuple(sorted(consumers)), draw(st.booleans())))
    for producer in range(steps):
        for _ in range(draw(st.integers(0, 2))):
            later = st.integers(producer + 1, steps - 1) if producer + 1 < steps else st.nothing()
            consumers = draw(st.sets(later, max_size=3)) if producer + 1 < steps else set()
            persistent = draw(st.booleans())
            tensors.append(Tensor(draw(st.integers(1, 20)), producer, tuple(sorted(consumers)), persistent))
    sharings = [
        Sharing(t.producer, i, j, min(s.size, t.size))
        for i, s in enumerate(tensors)
        for j, t in enumerate(tensors)
        if t.producer is not None and t.producer in s.consumers and draw(st.booleans())
    ]
    scratch = tuple(draw(st.lists(st.integers(0, 9), min_size=steps, max_size=steps)))
    pairs = draw(st.lists(st.tuples(st.integers(0, steps - 1), st.integers(0, steps - 1)), max_size=2))
    before = tuple((a, b) for a, b in pairs if a < b)
    return StepGraph(steps, tuple(tensors), before, scratch, tuple(sharings))


def legal_peaks(graph: StepGraph) -> list[int]:
    peaks = []
    for order in itertools.permutations(range(graph.steps)):
        try:
            peaks.append(peak_of(graph, order))
        except PlacementError:
            continue
    return peaks


@settings(max_examples=150, deadline=None)
@given(step_graphs())
def test_best_of_all_orders(graph: StepGraph) -> None:
    order = best_order(graph)
    assert order.proven_optimal
    assert order.peak == peak_of(graph, order.steps) == min(legal_peaks(graph))


@settings(max_examples=80, deadline=None)
@given(step_graphs(most_steps=14), st.integers(0, 60), st.integers(1, 3))
def test_never_worse_than_given(graph: StepGraph, max_trials: int, beam: int) -> None:
    order = best_order(graph, max_trials=max_trials, beam=beam)
    assert order.peak == peak_of(graph, order.steps) <= peak_of(graph, range(graph.steps))
    exact = best_order(graph)
    assert exact.proven_optimal and exact.peak <= order.peak
    if order.proven_optimal:
        assert order.peak == exact.peak


def test_wide_branch_first() -> None:
    """Two branches: reducing the large one before the other one starts saves its intermediate."""
    tensors = (
        Tensor(10, None, (0, 1)),
        Tensor(100, 0, (2,)),
        Tensor(80, 1, (3,)),
        Tensor(5, 2, (4,)),
        Tensor(5, 3, (4,)),
        Tensor(5, 4, persistent=True),
    )
    graph = StepGraph(5, tensors)
    assert peak_of(graph, range(5)) == 190
    order = best_order(graph)
    assert order.peak == 115 and order.proven_optimal
    assert peak_of(graph, (0, 2, 1, 3, 4)) == peak_of(graph, (1, 3, 0, 2, 4)) == 115


def test_equal_peaks_keep_the_given_order() -> None:
    graph = StepGraph(3, tuple(Tensor(4, i, persistent=True) for i in range(3)))
    assert best_order(graph).steps == (0, 1, 2)
    assert best_order(graph, given=(2, 0, 1)).steps == (2, 0, 1)


def test_in_place_step_counts_once() -> None:
    tensors = (Tensor(64, None, (0,)), Tensor(64, 0, persistent=True))
    assert best_order(StepGraph(1, tensors)).peak == 128
    assert best_order(StepGraph(1, tensors, sharings=(Sharing(0, 0, 1, 64),))).peak == 64


def test_long_chain_is_immediate() -> None:
    n = 400
    tensors = tuple(Tensor(7 + i % 5, i, (i + 1,) if i + 1 < n else (), i + 1 == n) for i in range(n))
    order = best_order(StepGraph(n, tensors))
    assert order.proven_optimal and order.steps == tuple(range(n))


def test_many_branches_stay_within_bounds() -> None:
    """24 parallel chains of three: too many sets for the exact search at this limit."""
    tensors = [Tensor(50, None, tuple(3 * b for b in range(24)))]
    for b in range(24):
        tensors.append(Tensor(100 + 13 * b % 37, 3 * b, (3 * b + 1,)))
        tensors.append(Tensor(60 + 7 * b % 11, 3 * b + 1, (3 * b + 2,)))
        tensors.append(Tensor(1 + b, 3 * b + 2, (72,)))
    tensors.append(Tensor(4, 72, persistent=True))
    graph = StepGraph(73, tuple(tensors))
    breadth_first = sorted(range(72), key=lambda s: s % 3) + [72]
    order = best_order(graph, given=breadth_first, max_trials=5000)
    assert order.peak == peak_of(graph, order.steps) < peak_of(graph, breadth_first) / 3
    assert best_order(graph, given=breadth_first, max_trials=5000) == order


@pytest.mark.parametrize(
    "make",
    [
        lambda: StepGraph(1, (Tensor(1, 3),)),
        lambda: StepGraph(2, (), scratch=(1,)),
        lambda: StepGraph(1, (Tensor(1, None, (0,)),), sharings=(Sharing(0, 0, 1, 1),)),
        lambda: StepGraph(1, (Tensor(1, None), Tensor(1, 0)), sharings=(Sharing(0, 0, 1, 1),)),
        lambda: best_order(StepGraph(2, (Tensor(1, 1, (0,)),))),
        lambda: peak_of(StepGraph(2, ()), (0, 0)),
    ],
)
def test_malformed_graphs_are_refused(make: object) -> None:
    with pytest.raises(PlacementError):
        make()  # type: ignore[operator]
