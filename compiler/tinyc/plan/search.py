# SPDX-License-Identifier: Apache-2.0
"""Local search over placement orders: move what sticks out at the top forward, keep what is no worse."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tinyc.plan.greedy import greedy_orders, place_in_order, plan_bytes
from tinyc.plan.separation import Model

_STEPS_PER_EFFORT = 400_000  # relations between buffers looked at per unit of effort: about a second


def search(model: Model, start: Sequence[int], target: int, effort: float) -> list[int]:
    """Offsets no worse than `start`; stops at `target` bytes or when the effort is used up.

    Effort counts work, not time, and the random sequence is fixed, so the answer repeats.
    """
    best = list(start)
    best_bytes = plan_bytes(model, best)
    per_pass = len(best) + 2 * len(model.separations)
    passes = int(effort * _STEPS_PER_EFFORT / max(per_pass, 1))
    if best_bytes <= target or len(best) < 2 or passes < 1:
        return best
    buffers = model.problem.buffers
    # random() is the one method whose sequence Python keeps from version to version.
    rng = random.Random(1)
    order = min(greedy_orders(model), key=lambda o: plan_bytes(model, place_in_order(model, o)))
    current = place_in_order(model, order)
    current_bytes = plan_bytes(model, current)
    for _ in range(passes):
        candidate = list(order)
        tops = [i for i, b in enumerate(buffers) if current[i] + b.size == current_bytes]
        if rng.random() < 0.6:
            i = tops[int(rng.random() * len(tops))]
        else:
            i = int(rng.random() * len(order))
        position = candidate.index(i)
        candidate.pop(position)
        ahead = position if position and rng.random() < 0.8 else len(order) - 1
        candidate.insert(int(rng.random() * (ahead + 1)), i)
        offsets = place_in_order(model, candidate)
        bytes_ = plan_bytes(model, offsets)
        if bytes_ <= current_bytes:
            order, current, current_bytes = candidate, offsets, bytes_
            if bytes_ < best_bytes:
                best, best_bytes = offsets, bytes_
                if best_bytes <= target:
                    break
    return best
