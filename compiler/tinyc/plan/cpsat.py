# SPDX-License-Identifier: Apache-2.0
"""Exact placement with OR-Tools CP-SAT. OR-Tools is imported only when a problem needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinyc.plan.greedy import plan_bytes
from tinyc.plan.separation import Model


@dataclass(frozen=True)
class ExactResult:
    """Offsets in bytes (None where nothing better than the hint was found) and the bound reached."""

    offsets: list[int] | None
    bound: int
    optimal: bool


def solve_exact(model: Model, hint: Sequence[int], bound: int, effort: float) -> ExactResult:
    """Minimise the bytes, starting from a sound plan `hint` and a valid lower `bound`.

    `effort` is CP-SAT's deterministic time: one worker and a fixed seed make the answer repeat.
    """
    from ortools.sat.python import cp_model

    buffers = model.problem.buffers
    unit = model.unit
    upper = plan_bytes(model, hint)
    cp: Any = cp_model.CpModel()
    pinned = dict(model.fixed)
    height = cp.new_int_var(bound, upper, "height")
    starts: list[Any] = []
    for i, b in enumerate(buffers):
        step = b.align // unit
        if i in pinned:
            starts.append(pinned[i] // unit)
            continue
        variable = cp.new_int_var(0, (upper - b.size) // b.align, f"place_{i}")
        cp.add_hint(variable, hint[i] // b.align)
        starts.append(variable * step if step > 1 else variable)
        cp.add(starts[i] * unit + b.size <= height)
    # Rectangles must be free of permitted overlaps among themselves; what else there is, pair by pair.
    partners: set[frozenset[int]] = {frozenset((s.first, s.second)) for s in model.separations if not s.plain}
    partners |= _unconstrained_pairs(model)
    rectangles: set[int] = set()
    for i in sorted(range(len(buffers)), key=lambda k: (-len(model.near[k]), k)):
        if not any(frozenset((i, j)) in partners for j in rectangles):
            rectangles.add(i)
    times, places = [], []
    for i in sorted(rectangles):
        b = buffers[i]
        size = -(-b.size // unit)
        times.append(cp.new_fixed_size_interval_var(b.start, b.end - b.start, f"time_{i}"))
        places.append(cp.new_fixed_size_interval_var(starts[i], size, f"bytes_{i}"))
    cp.add_no_overlap_2d(times, places)
    for s in model.separations:
        if s.first in rectangles and s.second in rectangles:
            continue
        if s.first in pinned and s.second in pinned:
            continue
        below = cp.new_bool_var(f"below_{s.first}_{s.second}")
        delta = starts[s.second] - starts[s.first]
        cp.add(delta <= s.low // unit).only_enforce_if(below)
        cp.add(delta >= -(-s.high // unit)).only_enforce_if(below.negated())
        cp.add_hint(below, hint[s.second] - hint[s.first] <= s.low)
    cp.add_hint(height, upper)
    cp.minimize(height)

    solver: Any = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = effort
    status = solver.solve(cp)
    if status == cp_model.INFEASIBLE:
        raise AssertionError("the placement model excludes the plan it was given")
    proven = max(bound, int(-(-solver.best_objective_bound // 1))) if status != cp_model.UNKNOWN else bound
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return ExactResult(None, proven, False)
    offsets = [s * unit if isinstance(s, int) else int(solver.value(s)) * unit for s in starts]
    optimal = status == cp_model.OPTIMAL
    return ExactResult(offsets, plan_bytes(model, offsets) if optimal else proven, optimal)


def _unconstrained_pairs(model: Model) -> set[frozenset[int]]:
    """Pairs that live together and may lie anywhere: their permitted overlap rules nothing out."""
    index = {b.name: i for i, b in enumerate(model.problem.buffers)}
    related = {frozenset((s.first, s.second)) for s in model.separations}
    return {frozenset((index[o.first], index[o.second])) for o in model.problem.overlaps} - related
