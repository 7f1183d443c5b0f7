# SPDX-License-Identifier: Apache-2.0
"""Assignments from the most accurate to the cheapest, by what each unit's schemes cost and lose.

Costs and noise are taken to add up over units. For each price of noise the best assignment then takes each unit's best
scheme; over all prices these are the lower convex hull of what can be had, and from one to the next a single unit
changes. Source: Shoham and Gersho, "Efficient bit allocation for an arbitrary set of quantizers", IEEE Transactions on
Acoustics, Speech and Signal Processing 36 (1988).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinyc.explore.units import Assignment


@dataclass(frozen=True)
class Point:
    """What a unit's scheme adds to a model's cost and to its noise, beside another."""

    scheme: str
    cost: float
    noise: float


def hull(points: Sequence[Point]) -> list[Point]:
    """Those on the lower convex hull, from the least noise to the least cost."""
    found: list[Point] = []
    for point in sorted(points, key=lambda p: (p.noise, p.cost)):
        if found and point.cost >= found[-1].cost:
            continue
        while len(found) > 1 and _slope(found[-2], found[-1]) >= _slope(found[-1], point):
            found.pop()
        found.append(point)
    return found


def _slope(first: Point, second: Point) -> float:
    """Noise per unit of cost saved."""
    return (second.noise - first.noise) / (first.cost - second.cost)


def ladder(points: Mapping[str, Sequence[Point]]) -> list[Assignment]:
    """Assignments for the units whose points these are, in their order; each differs from the one before in one."""
    hulls = {unit: hull(few) for unit, few in points.items()}
    steps = [(_slope(first, second), unit, second.scheme) for unit, few in hulls.items()
             for first, second in zip(few, few[1:], strict=False)]
    now = {unit: few[0].scheme for unit, few in hulls.items()}
    found = [tuple(now.values())]
    for _, unit, scheme in sorted(steps, key=lambda step: step[0]):  # stable: a unit's own steps stay in order
        now[unit] = scheme
        found.append(tuple(now.values()))
    return found
