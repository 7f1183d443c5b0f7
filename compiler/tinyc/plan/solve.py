# SPDX-License-Identifier: Apache-2.0
"""Placement: heuristics first, the exact solver where they leave a gap to the lower bound."""

from __future__ import annotations

from collections.abc import Sequence

from tinyc.plan.check import check
from tinyc.plan.cpsat import solve_exact
from tinyc.plan.greedy import greedy, plan_bytes
from tinyc.plan.problem import Plan, Problem, lower_bound
from tinyc.plan.search import search
from tinyc.plan.separation import Model, build_model

DEFAULT_EFFORT = 4.0


def solve(problem: Problem, effort: float = DEFAULT_EFFORT) -> Plan:
    """The smallest placement found, the same on every run and machine.

    `effort` bounds the work in deterministic units, each about a second; 0 means heuristics only.
    Where nothing found fits `problem.capacity`, the best plan is returned all the same, so that its
    size can be reported; `check` tells. Raises PlacementError for contradictory fixed offsets.
    """
    model = build_model(problem)
    bound = lower_bound(problem)
    offsets, method = greedy(model), "greedy"
    if effort > 0 and plan_bytes(model, offsets) > bound:
        found = search(model, offsets, bound, effort * 0.25)
        if plan_bytes(model, found) < plan_bytes(model, offsets):
            offsets, method = found, "search"
    optimal = False
    if effort > 0 and plan_bytes(model, offsets) > bound:
        exact = solve_exact(model, offsets, bound, effort)
        bound, optimal = exact.bound, exact.optimal
        if exact.offsets is not None and plan_bytes(model, exact.offsets) < plan_bytes(model, offsets):
            offsets, method = exact.offsets, "cp-sat"
    return _finish(problem, model, offsets, bound, optimal, method)


def _finish(
    problem: Problem, model: Model, offsets: Sequence[int], bound: int, optimal: bool, method: str
) -> Plan:
    size = plan_bytes(model, offsets)
    named = {b.name: o for b, o in zip(problem.buffers, offsets, strict=True)}
    plan = Plan(named, size, bound, optimal or size <= bound, method)
    unlimited = Problem(problem.buffers, problem.overlaps, problem.fixed)
    wrong = check(unlimited, plan)
    if wrong:
        raise AssertionError("unsound plan: " + "; ".join(wrong))
    return plan
