# SPDX-License-Identifier: Apache-2.0
"""Constraints between pairs of buffers in one form, which heuristics and exact solver share.

Whether two buffers that live together must be disjoint or may overlap up to some delta, what is
forbidden is always one open interval of the distance between them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinyc.plan.problem import PlacementError, Problem


@dataclass(frozen=True)
class Separation:
    """offset[second] - offset[first] is either <= low or >= high. `plain`: the two must be disjoint."""

    first: int
    second: int
    low: int
    high: int
    plain: bool


@dataclass(frozen=True)
class Model:
    """A problem by index: the separations of all pairs that live together, in bytes.

    `near[i]` holds (j, low, high) with the forbidden open interval of offset[i] - offset[j].
    `unit` divides every offset of some optimal plan, and of all plans that the heuristics make.
    """

    problem: Problem
    unit: int
    separations: tuple[Separation, ...]
    near: tuple[tuple[tuple[int, int, int], ...], ...]
    fixed: tuple[tuple[int, int], ...]


def build_model(problem: Problem) -> Model:
    """Raises PlacementError where two pinned buffers collide."""
    buffers = problem.buffers
    index = {b.name: i for i, b in enumerate(buffers)}
    limit: dict[tuple[int, int], int] = {}
    for o in problem.overlaps:
        key = (index[o.first], index[o.second])
        limit[key] = max(o.max_delta, limit.get(key, o.max_delta))
    separations: list[Separation] = []
    near: list[list[tuple[int, int, int]]] = [[] for _ in buffers]
    by_start = sorted(range(len(buffers)), key=lambda k: (buffers[k].start, k))
    for n, i in enumerate(by_start):
        for j in by_start[n + 1 :]:
            if buffers[j].start >= buffers[i].end:
                break
            low, high = -buffers[j].size, buffers[i].size
            if (i, j) in limit:
                low = max(low, limit[i, j])
            if (j, i) in limit:
                high = min(high, -limit[j, i])
            if low + 1 >= high:
                continue
            plain = low == -buffers[j].size and high == buffers[i].size
            separations.append(Separation(i, j, low, high, plain))
            near[j].append((i, low, high))
            near[i].append((j, -high, -low))
    fixed = tuple(sorted((index[name], offset) for name, offset in problem.fixed.items()))
    pinned = dict(fixed)
    for s in separations:
        if s.first in pinned and s.second in pinned:
            if s.low < pinned[s.second] - pinned[s.first] < s.high:
                names = f"{buffers[s.first].name!r} and {buffers[s.second].name!r}"
                raise PlacementError(f"fixed offsets of {names} collide")
    unit = _unit(problem, separations)
    return Model(problem, unit, tuple(separations), tuple(tuple(n) for n in near), fixed)


def _unit(problem: Problem, separations: list[Separation]) -> int:
    """What offsets are multiples of, once every buffer is pushed down as far as it goes.

    Then each begins at 0, or at a separation's limit beyond another one, rounded up to its alignment.
    """
    aligns = [b.align for b in problem.buffers]
    steps = math.gcd(*(abs(x) for s in separations for x in (s.low, s.high)), *problem.fixed.values())
    unit = math.gcd(steps, *aligns)
    if steps and all(steps % align == 0 for align in aligns):
        unit = steps
    return max(unit, 1)
