# SPDX-License-Identifier: Apache-2.0
"""The placement problem: buffers with lifetimes, the overlaps that kernels permit, and bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


class PlacementError(ValueError):
    """A problem that is malformed, or that no placement at all can satisfy."""


@dataclass(frozen=True)
class Buffer:
    """`size` bytes at a multiple of `align`, live during the half-open interval [start, end)."""

    name: str
    size: int
    align: int
    start: int
    end: int

    def __post_init__(self) -> None:
        if self.size <= 0 or self.align <= 0:
            raise PlacementError(f"buffer {self.name!r}: size {self.size} and align {self.align} must be > 0")
        if self.start >= self.end:
            raise PlacementError(f"buffer {self.name!r}: empty lifetime [{self.start}, {self.end})")


@dataclass(frozen=True)
class Overlap:
    """`second` may share bytes with `first` while both live if second.offset - first.offset <= max_delta.

    `max_delta` is in bytes and may be negative: the output of a kernel that reads ahead of what it
    writes has to begin that far before its input. Pairs that satisfy the inequality need not be
    disjoint; others must be, as if the Overlap were not there.
    """

    first: str
    second: str
    max_delta: int


@dataclass(frozen=True)
class Problem:
    """Buffers to place. `fixed` pins offsets; `capacity` is the size of the memory, where it is known.

    Raises PlacementError for names that repeat or do not exist, and for pinned offsets that are
    negative or misaligned.
    """

    buffers: tuple[Buffer, ...]
    overlaps: tuple[Overlap, ...] = ()
    fixed: Mapping[str, int] = field(default_factory=dict)
    capacity: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "buffers", tuple(self.buffers))
        object.__setattr__(self, "overlaps", tuple(self.overlaps))
        object.__setattr__(self, "fixed", dict(self.fixed))
        by_name = {b.name: b for b in self.buffers}
        if len(by_name) != len(self.buffers):
            raise PlacementError("buffer names are not unique")
        for o in self.overlaps:
            if o.first not in by_name or o.second not in by_name or o.first == o.second:
                raise PlacementError(f"overlap of {o.first!r} and {o.second!r} does not name two buffers")
        for name, offset in self.fixed.items():
            if name not in by_name:
                raise PlacementError(f"fixed offset for unknown buffer {name!r}")
            if offset < 0 or offset % by_name[name].align:
                raise PlacementError(f"fixed offset {offset} of {name!r} is negative or misaligned")


@dataclass(frozen=True)
class Plan:
    """Offsets in bytes for every buffer; `bytes` is the highest end, `bound` a proven lower bound on it.

    `method` names what found the plan ("greedy", "search", "cp-sat", ...).
    """

    offsets: Mapping[str, int]
    bytes: int
    bound: int
    proven_optimal: bool
    method: str


def live_set_bound(problem: Problem) -> int:
    """The largest sum of sizes of buffers that live at one time, as if nothing could overlap, in bytes."""
    return max((sum(b.size for b in live) for live in live_sets(problem.buffers)), default=0)


def live_sets(buffers: Iterable[Buffer]) -> list[tuple[Buffer, ...]]:
    """The maximal sets of buffers alive together, in order of time."""
    events: dict[int, tuple[list[Buffer], list[Buffer]]] = {}
    for b in buffers:
        events.setdefault(b.start, ([], []))[0].append(b)
        events.setdefault(b.end, ([], []))[1].append(b)
    live: dict[str, Buffer] = {}
    found: list[tuple[Buffer, ...]] = []
    grown = False
    for time in sorted(events):
        born, dying = events[time]
        if dying:
            if grown:
                found.append(tuple(live.values()))
            grown = False
            for b in dying:
                del live[b.name]
        for b in born:
            live[b.name] = b
            grown = True
    return found


def lower_bound(problem: Problem) -> int:
    """Bytes that no placement can go below, with the permitted overlaps taken into account.

    At any time the live buffers fall into groups connected by permitted overlaps. Different groups
    are disjoint in memory. Within a group, any choice of members in which each one may overlap at
    most one other occupies the sum of the unions of its pairs, so the best such choice is a bound.
    """
    unit = math.gcd(*(b.align for b in problem.buffers)) if problem.buffers else 1
    pinned = [problem.fixed[b.name] + b.size for b in problem.buffers if b.name in problem.fixed]
    bound = max(pinned, default=0)
    permitted: dict[tuple[str, str], list[int]] = {}
    for o in problem.overlaps:
        permitted.setdefault((o.first, o.second), []).append(o.max_delta)
    limit = {pair: max(deltas) for pair, deltas in permitted.items()}
    for live in live_sets(problem.buffers):
        exact = {b.name: b.size for b in live}
        # Every offset is a multiple of `unit`, so rounding sizes up changes no relation between two
        # buffers; only the highest buffer's own padding does not count.
        padded = {name: -(-size // unit) * unit for name, size in exact.items()}
        slack = max(padded[name] - exact[name] for name in exact)
        bound = max(bound, _occupied(exact, limit), _occupied(padded, limit) - slack)
    return bound


def least_union(first: int, second: int, max_delta: int) -> int:
    """Fewest bytes that two buffers of these sizes cover when second may begin max_delta after first."""
    return min(first + second, max(first, second, first - max_delta))


def _occupied(sizes: Mapping[str, int], limit: Mapping[tuple[str, str], int]) -> int:
    union: dict[tuple[str, str], int] = {}
    near: dict[str, list[str]] = {name: [] for name in sizes}
    for (a, b), delta in limit.items():
        if a not in sizes or b not in sizes:
            continue
        bytes_ = least_union(sizes[a], sizes[b], delta)
        if bytes_ == sizes[a] + sizes[b]:
            continue
        if (b, a) in union:
            union[a, b] = union[b, a] = min(bytes_, union[b, a])
            continue
        union[a, b] = union[b, a] = bytes_
        near[a].append(b)
        near[b].append(a)
    total = 0
    seen: set[str] = set()
    for name in sizes:
        if name in seen:
            continue
        group = [name]
        seen.add(name)
        for member in group:
            for other in near[member]:
                if other not in seen:
                    seen.add(other)
                    group.append(other)
        total += _group_bytes(group, sizes, near, union)
    return total


_EXACT_GROUP = 14  # members up to which every choice is tried; larger groups take a greedy one


def _group_bytes(
    group: list[str],
    sizes: Mapping[str, int],
    near: Mapping[str, list[str]],
    union: Mapping[tuple[str, str], int],
) -> int:
    """The most bytes that a choice of members, no one overlapping two chosen others, is sure to cover."""
    if len(group) == 1:
        return sizes[group[0]]

    def value(chosen: list[str], partner: dict[str, str], name: str) -> int | None:
        """What choosing `name` adds, or None where it would give a member a second partner."""
        linked = [m for m in near[name] if m in chosen]
        if not linked:
            return sizes[name]
        if len(linked) > 1 or linked[0] in partner:
            return None
        return union[linked[0], name] - sizes[linked[0]]

    def best(index: int, chosen: list[str], partner: dict[str, str]) -> int:
        if index == len(group):
            return 0
        name = group[index]
        result = best(index + 1, chosen, partner)
        added = value(chosen, partner, name)
        if added is not None:
            linked = [m for m in near[name] if m in chosen]
            paired = {**partner, name: linked[0], linked[0]: name} if linked else partner
            result = max(result, added + best(index + 1, [*chosen, name], paired))
        return result

    if len(group) <= _EXACT_GROUP:
        return best(0, [], {})
    chosen: list[str] = []
    partner: dict[str, str] = {}
    total = 0
    for name in sorted(group, key=lambda n: (-sizes[n], n)):
        added = value(chosen, partner, name)
        if added is None:
            continue
        linked = [m for m in near[name] if m in chosen]
        if linked:
            partner[name], partner[linked[0]] = linked[0], name
        chosen.append(name)
        total += added
    return total
