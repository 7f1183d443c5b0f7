# SPDX-License-Identifier: Apache-2.0
"""Depth-first search for a placement within a given height, from the bottom up.

Every placement can be pushed down until each buffer rests on 0 or on another one, and built up in
the order of rising offsets. So it is enough to try, at each node, the unplaced buffers at their
lowest free offsets, in that order (Moffitt, "MiniMalloc", ASPLOS 2023). A branch ends where, at some
time, what is yet to be placed is larger than the room left; where placing leaves moments that no
unplaced buffer crosses, the parts before and after are solved independently.

Among equal offsets, an order of preference decides. It stays, or is found anew for each part from what is
unplaced then: the moments that were crowded at first need not be those that are still to be fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyc.plan.separation import Model

_TRIALS_PER_EFFORT = 40_000  # placements tried per unit of effort: about a second
_MOST_BUFFERS = 600  # the search recurses once per buffer

# What to prefer large, the most important first: lifetime, lifetime x bytes, the most bytes alive at one of its
# moments ("crowd") and of them those unplaced ("rest"), the number of buffers that live at the same time
# ("near"). Equal ones stay in the order given.
_PREFERENCES = (
    ("width", "area", "crowd"),
    ("crowd", "area", "width"),
    ("crowd", "width", "area"),
    ("crowd", "near", "width"),
)
_PREFERENCES_ANEW = (
    ("rest", "width", "area"),
    ("rest", "area", "width"),
    ("rest", "near", "width"),
)

_Array = npt.NDArray[np.int64]


class _OutOfEffort(Exception):
    pass


def applicable(model: Model) -> bool:
    """Whether the search can be used: no permitted overlaps between live buffers, nothing pinned."""
    return not model.fixed and not model.problem.overlaps and len(model.problem.buffers) <= _MOST_BUFFERS


def search_within(model: Model, height: int, effort: float, anew: bool = False) -> list[int] | None:
    """Offsets in bytes of a placement within `height` bytes, or None where the effort did not find one.

    Several orders of preference take turns with a growing number of trials. anew: those that each part
    finds anew, which solve some problems that the others do not, and the reverse.
    """
    left = int(effort * _TRIALS_PER_EFFORT)
    turn = 4 * len(model.problem.buffers)
    while left > 0:
        for preference in _PREFERENCES_ANEW if anew else _PREFERENCES:
            trials = min(turn, left)
            left -= trials
            if trials <= 0:
                break
            search = _Search(model, preference, height, trials)
            try:
                return search.place if search.run() else None
            except _OutOfEffort:
                continue
        turn *= 2
    return None


class _Search:
    """One depth-first search. Time is cut into sections; lists of members are in order of preference."""

    def __init__(self, model: Model, preference: Sequence[str], height: int, trials: int) -> None:
        buffers = model.problem.buffers
        self.preference = preference
        self.anew = "rest" in preference
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
        self.near = [np.array(sorted(j for j, _, _ in near), dtype=np.int64) for near in model.near]
        width = np.array([b.end - b.start for b in buffers], dtype=np.int64)
        count = np.array([near.size for near in self.near], dtype=np.int64)
        self.traits = {"width": width, "area": width * self.sizes, "near": count}
        self.traits["crowd"] = self._most(np.arange(len(buffers)), self.sizes @ self.cover)
        aligns = np.array([b.align for b in buffers], dtype=np.int64)
        self.aligns: _Array | None = aligns if any(model.unit % b.align for b in buffers) else None
        self.place = [0] * len(buffers)

    def run(self) -> bool:
        count = len(self.size)
        total = self.sizes @ self.cover
        crossing = (self.cover[:, :-1] & self.cover[:, 1:]).sum(axis=0).astype(np.int64)
        lowest = np.zeros(count, dtype=np.int64)
        floor = np.zeros(self.sections, dtype=np.int64)
        members = self._by_preference(np.arange(count), total)
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
            inside = (starts >= low) & (starts < high)
            part = members[inside]
            if not part.size:
                continue
            least = (base, int(np.count_nonzero(inside[:rank])))
            if self.anew and len(cuts) > 2:
                part, least = self._by_preference(part, total), (base, 0)
            if not self._descend(part, low, high, floor, total, crossing, lowest, *least):
                return False
        return True

    def _by_preference(self, members: _Array, total: _Array) -> _Array:
        """`members`, the preferred ones first, where `total` bytes per section are yet to be placed."""
        keys = [
            self._most(members, total) if trait == "rest" else self.traits[trait][members]
            for trait in self.preference
        ]
        return members[np.lexsort((members, *(-key for key in reversed(keys))))]

    def _most(self, members: _Array, total: _Array) -> _Array:
        """For each member, the largest `total` of the sections it covers."""
        largest: _Array = np.where(self.cover[members], total, 0).max(axis=1)
        return largest

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
        """Place all `members`, which live within sections [low, high), at (offset, position) >= (base, rank).

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
            if (offset, k) < (base, rank):
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
                    if self._parts(rest, cuts, new_floor, new_total, new_crossing, new_lowest, offset, k):
                        return True
            if covered:
                break  # nothing is yet to lie above this buffer: placing it elsewhere changes nothing
        return False

    def _room(self, floor: _Array, total: _Array, low: int, high: int, offset: int) -> bool:
        top = np.maximum(floor[low:high], offset) + total[low:high]
        return int(top.max()) <= self.height
