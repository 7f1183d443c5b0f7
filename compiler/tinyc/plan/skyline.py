# SPDX-License-Identifier: Apache-2.0
"""Depth-first search for a placement within a given height, from the bottom up.

Every placement can be pushed down until each buffer rests on 0 or on another one, and built up in
the order of rising offsets. So it is enough to try, at each node, the unplaced buffers at their
lowest free offsets, in that order (Moffitt, "MiniMalloc", ASPLOS 2023). A branch ends where, at some
time, what is yet to be placed is larger than the room left; where placing leaves moments that no
unplaced buffer crosses, the parts before and after are solved independently.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyc.plan.separation import Model

_TRIALS_PER_EFFORT = 40_000  # placements tried per unit of effort: about a second
_MOST_BUFFERS = 600  # the search recurses once per buffer

_Array = npt.NDArray[np.int64]


class _OutOfEffort(Exception):
    pass


def applicable(model: Model) -> bool:
    """Whether the search can be used: no permitted overlaps between live buffers, nothing pinned."""
    return not model.fixed and not model.problem.overlaps and len(model.problem.buffers) <= _MOST_BUFFERS


def search_within(model: Model, height: int, effort: float) -> list[int] | None:
    """Offsets in bytes of a placement within `height` bytes, or None where the effort did not find one.

    Several orders of preference take turns with a growing number of trials.
    """
    left = int(effort * _TRIALS_PER_EFFORT)
    turn = 4 * len(model.problem.buffers)
    orders = _preferences(model)
    while left > 0:
        for order in orders:
            trials = min(turn, left)
            left -= trials
            if trials <= 0:
                break
            search = _Search(model, order, height, trials)
            try:
                return search.offsets() if search.run() else None
            except _OutOfEffort:
                continue
        turn *= 2
    return None


def _preferences(model: Model) -> list[list[int]]:
    buffers = model.problem.buffers
    width = [b.end - b.start for b in buffers]
    area = [b.size * w for b, w in zip(buffers, width, strict=True)]
    live = _live_bytes(model)
    crowd = [max(live[t] for t in live if b.start <= t < b.end) for b in buffers]
    keys: list[list[tuple[int, ...]]] = [
        [(-width[i], -area[i], -crowd[i], i) for i in range(len(buffers))],
        [(-crowd[i], -area[i], -width[i], i) for i in range(len(buffers))],
        [(-crowd[i], -width[i], -area[i], i) for i in range(len(buffers))],
        [(-crowd[i], -len(model.near[i]), -width[i], i) for i in range(len(buffers))],
    ]
    return [sorted(range(len(buffers)), key=key.__getitem__) for key in keys]


def _live_bytes(model: Model) -> dict[int, int]:
    change: dict[int, int] = {}
    for b in model.problem.buffers:
        change[b.start] = change.get(b.start, 0) + b.size
        change[b.end] = change.get(b.end, 0) - b.size
    live: dict[int, int] = {}
    total = 0
    for time in sorted(change):
        total += change[time]
        live[time] = total
    return live


class _Search:
    """One depth-first search. Buffers are numbered by preference; time is cut into sections."""

    def __init__(self, model: Model, order: Sequence[int], height: int, trials: int) -> None:
        buffers = [model.problem.buffers[i] for i in order]
        self.order = order
        self.height = height
        self.trials = trials
        times = sorted({b.start for b in buffers} | {b.end for b in buffers})
        section = {t: s for s, t in enumerate(times)}
        self.sections = len(times) - 1
        self.size = [b.size for b in buffers]
        self.sizes = np.array(self.size, dtype=np.int64)
        self.first = [section[b.start] for b in buffers]
        self.last = [section[b.end] for b in buffers]
        self.firsts = np.array(self.first, dtype=np.int64)
        self.cover = np.zeros((len(buffers), self.sections), dtype=bool)
        for i in range(len(buffers)):
            self.cover[i, self.first[i] : self.last[i]] = True
        number = {old: new for new, old in enumerate(order)}
        self.near = [
            np.array(sorted(number[j] for j, _, _ in model.near[old]), dtype=np.int64) for old in order
        ]
        aligns = np.array([b.align for b in buffers], dtype=np.int64)
        self.aligns: _Array | None = aligns if any(model.unit % b.align for b in buffers) else None
        self.place = [0] * len(buffers)

    def offsets(self) -> list[int]:
        result = [0] * len(self.place)
        for new, old in enumerate(self.order):
            result[old] = self.place[new]
        return result

    def run(self) -> bool:
        count = len(self.size)
        total = self.sizes @ self.cover
        crossing = (self.cover[:, :-1] & self.cover[:, 1:]).sum(axis=0).astype(np.int64)
        lowest = np.zeros(count, dtype=np.int64)
        floor = np.zeros(self.sections, dtype=np.int64)
        members = np.arange(count)
        if int(total.max()) > self.height:
            return False
        cuts = [0, *(np.flatnonzero(crossing == 0) + 1).tolist(), self.sections]
        return self._parts(members, cuts, floor, total, crossing, lowest, 0, 0)

    def _parts(
        self,
        members: _Array,
        cuts: list[int],
        floor: _Array,
        total: _Array,
        crossing: _Array,
        lowest: _Array,
        base: int,
        rank: int,
    ) -> bool:
        """Solve the sections between neighbouring cuts one after another; all have to succeed."""
        starts = self.firsts[members]
        for low, high in zip(cuts, cuts[1:], strict=False):
            part = members[(starts >= low) & (starts < high)]
            if part.size and not self._descend(part, low, high, floor, total, crossing, lowest, base, rank):
                return False
        return True

    def _descend(
        self,
        members: _Array,
        low: int,
        high: int,
        floor: _Array,
        total: _Array,
        crossing: _Array,
        lowest: _Array,
        base: int,
        rank: int,
    ) -> bool:
        """Place all `members`, which live within sections [low, high), at (offset, number) >= (base, rank).

        floor, total: per section, the top of what is placed and the bytes yet to be placed; crossing:
        unplaced buffers across each boundary; lowest: per buffer, the lowest offset still free.
        """
        offsets = lowest[members]
        order = np.argsort(offsets, kind="stable")
        lid = int((offsets + self.sizes[members]).min())
        for k in order.tolist():
            offset, i = int(offsets[k]), int(members[k])
            if offset >= lid:
                break  # some buffer fits entirely below: leaving that gap cannot help
            if (offset, i) < (base, rank):
                continue
            self.trials -= 1
            if self.trials < 0:
                raise _OutOfEffort
            top, first, last = offset + self.size[i], self.first[i], self.last[i]
            new_floor, new_total = floor.copy(), total.copy()
            new_floor[first:last] = top
            new_total[first:last] -= self.size[i]
            covered = not new_total[first:last].any()
            self.place[i] = offset
            rest = np.delete(members, k)
            if not rest.size:
                return top <= self.height
            if self._room(new_floor, new_total, low, high, offset):
                new_lowest = lowest.copy()
                near = self.near[i]
                rests_on: Any = top
                if self.aligns is not None:
                    rests_on = -(-top // self.aligns[near]) * self.aligns[near]
                new_lowest[near] = np.maximum(new_lowest[near], rests_on)
                beyond = self.height + 1
                reach = np.where(self.cover[rest, low:high], new_lowest[rest, None], beyond).min(axis=0)
                reach[reach >= beyond] = 0
                new_floor[low:high] = np.maximum(new_floor[low:high], reach)
                if self._room(new_floor, new_total, low, high, offset):
                    new_crossing = crossing.copy()
                    new_crossing[first : last - 1] -= 1
                    free = np.flatnonzero(new_crossing[low : high - 1] == 0) + low + 1
                    cuts = [low, *free.tolist(), high]
                    if self._parts(rest, cuts, new_floor, new_total, new_crossing, new_lowest, offset, i):
                        return True
            if covered:
                break  # nothing is yet to lie above this buffer: placing it elsewhere changes nothing
        return False

    def _room(self, floor: _Array, total: _Array, low: int, high: int, offset: int) -> bool:
        top = np.maximum(floor[low:high], offset) + total[low:high]
        return int(top.max()) <= self.height
