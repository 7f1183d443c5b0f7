# SPDX-License-Identifier: Apache-2.0
"""The second opinion on every plan: a direct check of all pairs that shares no code with the solver."""

from __future__ import annotations

from tinyc.plan.problem import Plan, Problem


def check(problem: Problem, plan: Plan) -> list[str]:
    """What is wrong with the plan, one sentence per violation; empty when it is sound. O(n^2)."""
    wrong: list[str] = []
    offsets = plan.offsets
    placed = []
    for b in problem.buffers:
        if b.name not in offsets:
            wrong.append(f"{b.name}: no offset")
            continue
        offset = offsets[b.name]
        placed.append(b)
        if offset < 0:
            wrong.append(f"{b.name}: offset {offset} is negative")
        if offset % b.align:
            wrong.append(f"{b.name}: offset {offset} is not a multiple of {b.align}")
        if offset + b.size > plan.bytes:
            wrong.append(f"{b.name}: ends at {offset + b.size}, beyond the plan's {plan.bytes} bytes")
        if problem.capacity is not None and offset + b.size > problem.capacity:
            wrong.append(f"{b.name}: ends at {offset + b.size}, beyond the capacity of {problem.capacity}")
        if b.name in problem.fixed and problem.fixed[b.name] != offset:
            wrong.append(f"{b.name}: offset {offset} where {problem.fixed[b.name]} is required")
    known = {b.name for b in problem.buffers}
    wrong += [f"{name}: offset for a buffer that does not exist" for name in offsets if name not in known]
    allowed: dict[tuple[str, str], int] = {}
    for o in problem.overlaps:
        allowed[o.first, o.second] = max(o.max_delta, allowed.get((o.first, o.second), o.max_delta))
    for i, a in enumerate(placed):
        for b in placed[i + 1 :]:
            if a.end <= b.start or b.end <= a.start:
                continue
            if offsets[a.name] + a.size <= offsets[b.name] or offsets[b.name] + b.size <= offsets[a.name]:
                continue
            delta = offsets[b.name] - offsets[a.name]
            if (a.name, b.name) in allowed and delta <= allowed[a.name, b.name]:
                continue
            if (b.name, a.name) in allowed and -delta <= allowed[b.name, a.name]:
                continue
            wrong.append(
                f"{a.name} at {offsets[a.name]} ({a.size} bytes) and {b.name} at {offsets[b.name]} "
                f"({b.size} bytes) share memory while both live"
            )
    return wrong
