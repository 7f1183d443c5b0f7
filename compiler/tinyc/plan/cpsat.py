# SPDX-License-Identifier: Apache-2.0
"""Exact placement with OR-Tools CP-SAT. OR-Tools is imported only when a problem needs it."""

from __future__ import annotations

import math
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


# CP-SAT's deterministic time per unit of effort. Propagating rectangles takes some 25 times as long
# as deterministic time counts for it, and a unit of effort is to be about a second.
_DETERMINISTIC_TIME = 0.04


def fit_exact(model: Model, height: int, effort: float) -> list[int] | None:
    """Offsets in bytes of a placement within `height`, or None where the effort did not find one."""
    cp, starts = _placement(model, height)
    solver, found = _run(cp, effort)
    return _offsets(model, solver, starts) if found in ("OPTIMAL", "FEASIBLE") else None


def solve_exact(model: Model, hint: Sequence[int], bound: int, effort: float) -> ExactResult:
    """Minimise the bytes, starting from a sound plan `hint` and a valid lower `bound`.

    One worker, a fixed seed and a limit in deterministic time make the answer repeat.
    """
    upper = plan_bytes(model, hint)
    cp, starts = _placement(model, upper, hint)
    height = cp.new_int_var(bound, upper, "height")
    for start, b in zip(starts, model.problem.buffers, strict=True):
        cp.add(start * model.unit + b.size <= height)
    cp.add_hint(height, upper)
    cp.minimize(height)
    solver, found = _run(cp, effort)
    if found == "INFEASIBLE":
        raise AssertionError("the placement model excludes the plan it was given")
    if found not in ("OPTIMAL", "FEASIBLE"):
        return ExactResult(None, bound, False)
    offsets = _offsets(model, solver, starts)
    if found == "OPTIMAL":
        return ExactResult(offsets, plan_bytes(model, offsets), True)
    return ExactResult(offsets, max(bound, math.ceil(solver.best_objective_bound - 1e-6)), False)


def _placement(model: Model, upper: int, hint: Sequence[int] | None = None) -> tuple[Any, list[Any]]:
    """The CP-SAT model of all placements within `upper` bytes, and each buffer's offset in units."""
    from ortools.sat.python import cp_model

    buffers = model.problem.buffers
    unit = model.unit
    cp: Any = cp_model.CpModel()
    pinned = dict(model.fixed)
    starts: list[Any] = []
    for i, b in enumerate(buffers):
        if i in pinned:
            starts.append(pinned[i] // unit)
            continue
        step = max(b.align, unit)
        variable = cp.new_int_var(0, (upper - b.size) // step, f"place_{i}")
        if hint is not None:
            cp.add_hint(variable, hint[i] // step)
        starts.append(variable * (step // unit) if step > unit else variable)
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
        times.append(cp.new_fixed_size_interval_var(b.start, b.end - b.start, f"time_{i}"))
        places.append(cp.new_fixed_size_interval_var(starts[i], -(-b.size // unit), f"bytes_{i}"))
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
        if hint is not None:
            cp.add_hint(below, hint[s.second] - hint[s.first] <= s.low)
    return cp, starts


def _run(cp: Any, effort: float) -> tuple[Any, str]:
    from ortools.sat.python import cp_model

    solver: Any = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.linearization_level = 0
    solver.parameters.max_deterministic_time = effort * _DETERMINISTIC_TIME
    status = solver.solve(cp)
    return solver, str(solver.status_name(status))


def _offsets(model: Model, solver: Any, starts: Sequence[Any]) -> list[int]:
    return [(s if isinstance(s, int) else int(solver.value(s))) * model.unit for s in starts]


def _unconstrained_pairs(model: Model) -> set[frozenset[int]]:
    """Pairs that live together and may lie anywhere: their permitted overlap rules nothing out."""
    index = {b.name: i for i, b in enumerate(model.problem.buffers)}
    related = {frozenset((s.first, s.second)) for s in model.separations}
    return {frozenset((index[o.first], index[o.second])) for o in model.problem.overlaps} - related
