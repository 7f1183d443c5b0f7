# SPDX-License-Identifier: Apache-2.0
"""Placement heuristics: buffers one after another, each where it fits, in orders that tend to work."""

from __future__ import annotations

from collections.abc import Sequence

from tinyc.plan.separation import Model


def place_in_order(model: Model, order: Sequence[int], best_fit: bool = False) -> list[int]:
    """Offsets in bytes by buffer index, each buffer at its lowest free place (or in the tightest gap).

    Buffers with fixed offsets are in place before the others, whatever their position in the order.
    """
    buffers = model.problem.buffers
    offsets = [-1] * len(buffers)
    for i, offset in model.fixed:
        offsets[i] = offset
    for i in order:
        if offsets[i] < 0:
            offsets[i] = _lowest_place(model, i, offsets, best_fit)
    return offsets


def _lowest_place(model: Model, i: int, offsets: Sequence[int], best_fit: bool) -> int:
    align = model.problem.buffers[i].align
    forbidden = sorted(
        (offsets[j] + low, offsets[j] + high) for j, low, high in model.near[i] if offsets[j] >= 0
    )
    at = 0
    best, best_gap = -1, 0
    for low, high in forbidden:
        if low >= at:
            if not best_fit:
                return at
            # [at, low] is free for the start of this buffer: the shorter the tighter.
            gap = low - at
            if best < 0 or gap < best_gap:
                best, best_gap = at, gap
        if high > at:
            at = -(-high // align) * align
    return best if best >= 0 else at


def plan_bytes(model: Model, offsets: Sequence[int]) -> int:
    """The highest end of any buffer, in bytes."""
    return max((o + b.size for o, b in zip(offsets, model.problem.buffers, strict=True)), default=0)


def greedy_orders(model: Model) -> list[list[int]]:
    """Orders worth trying, without repetitions; the first is by falling size."""
    buffers = model.problem.buffers
    n = len(buffers)
    crowd = [sum(buffers[j].size for j, _, _ in near) for near in model.near]
    keys: list[list[tuple[int, ...]]] = [
        [(-b.size, b.start, i) for i, b in enumerate(buffers)],
        [(-b.size * (b.end - b.start), i) for i, b in enumerate(buffers)],
        [(b.start - b.end, -b.size, i) for i, b in enumerate(buffers)],
        [(-crowd[i] - b.size, -b.size, i) for i, b in enumerate(buffers)],
        [(b.start, -b.size, i) for i, b in enumerate(buffers)],
        [(-b.end, -b.size, i) for i, b in enumerate(buffers)],
        [(-len(model.near[i]), -b.size, i) for i, b in enumerate(buffers)],
    ]
    orders: list[list[int]] = []
    for key in keys:
        order = sorted(range(n), key=key.__getitem__)
        for candidate in (order, _outputs_first(model, order)):
            if candidate not in orders:
                orders.append(candidate)
    return orders


def _outputs_first(model: Model, order: Sequence[int]) -> list[int]:
    """The order with the seconds of permitted overlaps before their firsts.

    An output that has to begin below its input finds no place once the input lies at the bottom.
    """
    index = {b.name: i for i, b in enumerate(model.problem.buffers)}
    outputs: dict[int, list[int]] = {}
    for o in model.problem.overlaps:
        outputs.setdefault(index[o.first], []).append(index[o.second])
    done: set[int] = set()
    result: list[int] = []
    for i in order:
        stack = [(i, False)]
        entered: set[int] = set()
        while stack:
            k, expanded = stack.pop()
            if k in done:
                continue
            if expanded:
                done.add(k)
                result.append(k)
            elif k not in entered:
                entered.add(k)
                stack.append((k, True))
                stack.extend((o, False) for o in sorted(outputs.get(k, ()), reverse=True))
    return result


def greedy(model: Model) -> list[int]:
    """The best of all orders, first-fit and best-fit; the plain greedy by size is among them."""
    best: list[int] | None = None
    for order in greedy_orders(model):
        for best_fit in (False, True):
            offsets = place_in_order(model, order, best_fit)
            if best is None or plan_bytes(model, offsets) < plan_bytes(model, best):
                best = offsets
    return best if best is not None else []
