# SPDX-License-Identifier: Apache-2.0
"""Placement: heuristics first, the exact solver where they leave a gap to the lower bound."""

from __future__ import annotations

from collections.abc import Sequence

from tinyc.plan.check import check
from tinyc.plan.cpsat import fit_exact, solve_exact
from tinyc.plan.greedy import greedy, plan_bytes
from tinyc.plan.problem import Plan, Problem, live_set_bound, lower_bound
from tinyc.plan.search import search
from tinyc.plan.separation import Model, build_model

DEFAULT_EFFORT = 4.0


def solve(problem: Problem, effort: float = DEFAULT_EFFORT, only_fit: bool = False) -> Plan:
    """The smallest placement found, the same on every run and machine.

    `effort` bounds the work in deterministic units, each about a second; 0 means heuristics only.
    only_fit: what fits the problem's capacity is good enough. Where nothing found fits it, the best plan is
    returned all the same, so that its size can be reported; `check` tells. Raises PlacementError for
    contradictory fixed offsets.
    """
    from tinyc.plan import skyline  # brings NumPy, which commands that plan nothing should not wait for

    model = build_model(problem)
    bound = lower_bound(problem)
    best, method = greedy(model), "greedy"
    optimal = False

    def consider(offsets: Sequence[int] | None, name: str) -> None:
        nonlocal best, method
        if offsets is not None and plan_bytes(model, offsets) < plan_bytes(model, best):
            best, method = list(offsets), name

    # Overlaps are only allowed: what ordinary plans reach is reached with them, too, and often found more easily.
    ordinary = live_set_bound(problem)
    if effort > 0 and problem.overlaps and plan_bytes(model, best) > ordinary:
        consider(search(model, best, ordinary, effort * 0.05), "search")
        plain = build_model(Problem(problem.buffers, (), problem.fixed))
        if plan_bytes(model, best) > ordinary and skyline.applicable(plain):
            consider(skyline.search_within(plain, ordinary, effort * 0.2), "skyline")
        if plan_bytes(model, best) > ordinary:
            consider(fit_exact(plain, ordinary, effort * 0.2), "cp-sat")

    for goal in _goals(problem, bound)[:1 if only_fit else None]:
        # What fits exactly is most often found by asking for nothing else; minimising comes last.
        if effort > 0 and plan_bytes(model, best) > goal:
            consider(search(model, best, goal, effort * 0.05), "search")
        if effort > 0 and plan_bytes(model, best) > goal and skyline.applicable(model):
            consider(skyline.search_within(model, goal, effort * 0.15), "skyline")
        if effort > 0 and plan_bytes(model, best) > goal:
            consider(fit_exact(model, goal, effort * 0.25), "cp-sat")
        if effort > 0 and plan_bytes(model, best) > goal and skyline.applicable(model):
            consider(skyline.search_within(model, goal, effort * 0.35, anew=True), "skyline")
    if effort > 0 and plan_bytes(model, best) > bound and not only_fit:
        exact = solve_exact(model, best, bound, effort * 0.2)
        bound, optimal = exact.bound, exact.optimal
        consider(exact.offsets, "cp-sat")
    return _finish(problem, model, best, bound, optimal, method)


def _goals(problem: Problem, bound: int) -> list[int]:
    """Heights to aim at: within the capacity first, where that is known and easier than the bound."""
    if problem.capacity is not None and problem.capacity > bound:
        return [problem.capacity, bound]
    return [bound]


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
