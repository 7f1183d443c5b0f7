# SPDX-License-Identifier: Apache-2.0
"""Placement on random problems: sound, never above the greedy answer, and optimal where it says so."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from tinyc.plan import Buffer, Overlap, Plan, Problem, check, live_set_bound, lower_bound, solve
from tinyc.plan.greedy import greedy, greedy_orders, place_in_order, plan_bytes
from tinyc.plan.separation import build_model


@st.composite
def problems(draw: st.DrawFn, most: int = 12, largest: int = 40) -> Problem:
    count = draw(st.integers(1, most))
    aligns = draw(st.sampled_from([(1,), (4,), (1, 2, 4), (2, 3), (8, 16)]))
    buffers = []
    for i in range(count):
        start = draw(st.integers(0, 8))
        length = draw(st.integers(1, 5))
        size = draw(st.integers(1, largest))
        buffers.append(Buffer(f"b{i}", size, draw(st.sampled_from(aligns)), start, start + length))
    pairs = list(itertools.permutations([b.name for b in buffers], 2))
    overlaps = []
    if pairs:
        for a, b in draw(st.lists(st.sampled_from(pairs), max_size=count)):
            overlaps.append(Overlap(a, b, draw(st.integers(-largest - 5, largest + 5))))
    fixed = {}
    if draw(st.integers(0, 3)) == 0:
        fixed[buffers[0].name] = buffers[0].align * draw(st.integers(0, 6))
    return Problem(tuple(buffers), tuple(overlaps), fixed)


@settings(max_examples=150, deadline=None)
@given(problems())
def test_plans_are_sound_and_no_worse_than_greedy(problem: Problem) -> None:
    plan = solve(problem, effort=0.3)
    assert check(problem, plan) == []
    assert plan.bytes == max(plan.offsets[b.name] + b.size for b in problem.buffers)
    model = build_model(problem)
    assert plan.bytes <= plan_bytes(model, greedy(model))
    assert lower_bound(problem) <= plan.bound <= plan.bytes
    assert plan.proven_optimal == (plan.bound == plan.bytes)
    if not problem.overlaps:
        assert live_set_bound(problem) <= plan.bound


@settings(max_examples=60, deadline=None)
@given(problems())
def test_every_heuristic_order_gives_a_sound_plan(problem: Problem) -> None:
    model = build_model(problem)
    for order in greedy_orders(model):
        for best_fit in (False, True):
            offsets = place_in_order(model, order, best_fit)
            named = {b.name: o for b, o in zip(problem.buffers, offsets, strict=True)}
            assert check(problem, Plan(named, plan_bytes(model, offsets), 0, False, "order")) == []


def least_bytes(problem: Problem, upper: int) -> int:
    """By trying every offset of every buffer, independently of the solver's model."""
    buffers = problem.buffers
    best = upper

    def place(index: int, offsets: dict[str, int]) -> None:
        nonlocal best
        if index == len(buffers):
            best = min(best, max(offsets[b.name] + b.size for b in buffers))
            return
        b = buffers[index]
        for offset in range(0, best - b.size, b.align):
            if problem.fixed.get(b.name, offset) != offset:
                continue
            trial = {**offsets, b.name: offset}
            known = tuple(o for o in problem.overlaps if {o.first, o.second} <= trial.keys())
            part = Problem(buffers[: index + 1], known)
            if not check(part, Plan(trial, upper, 0, False, "trial")):
                place(index + 1, trial)

    place(0, {})
    return best


@settings(max_examples=60, deadline=None)
@given(problems(most=4, largest=7))
def test_brute_force_confirms_the_optimum(problem: Problem) -> None:
    plan = solve(problem, effort=2.0)
    assert plan.proven_optimal
    assert least_bytes(problem, plan.bytes) == plan.bytes
    assert lower_bound(problem) <= plan.bytes


@settings(max_examples=15, deadline=None)
@given(problems())
def test_same_answer_again(problem: Problem) -> None:
    assert solve(problem, effort=0.3) == solve(problem, effort=0.3)
