# SPDX-License-Identifier: Apache-2.0
"""The order of steps whose largest live set is smallest.

What is live depends only on the set of steps done, not on their order. So the search is a shortest
path over these sets (down-sets of the precedence order) whose length is the largest peak on the way.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyc.plan.problem import PlacementError


@dataclass(frozen=True)
class Tensor:
    """A buffer of the schedule: `size` bytes, written by step `producer`, read by `consumers`.

    `producer` None: there from the start (a graph input). `persistent`: needed after the last step
    (a graph output), and a persistent tensor without producer never goes.
    """

    size: int
    producer: int | None
    consumers: tuple[int, ...] = ()
    persistent: bool = False


@dataclass(frozen=True)
class Sharing:
    """At `step`, output tensor `target` may lie over input tensor `source`, if that is its last use.

    `saved` is the number of bytes that both together then need less (at most the smaller's size).
    """

    step: int
    source: int
    target: int
    saved: int


@dataclass(frozen=True)
class StepGraph:
    """Steps 0 ... steps-1; `before` are further precedences (earlier, later) without a tensor.

    `scratch` holds bytes per step that live only during it (empty: none). Raises PlacementError for
    steps or tensors that do not exist.
    """

    steps: int
    tensors: tuple[Tensor, ...]
    before: tuple[tuple[int, int], ...] = ()
    scratch: tuple[int, ...] = ()
    sharings: tuple[Sharing, ...] = ()

    def __post_init__(self) -> None:
        named = [s for pair in self.before for s in pair] + [s.step for s in self.sharings]
        for t in self.tensors:
            named += t.consumers
            named += [] if t.producer is None else [t.producer]
        if any(not 0 <= step < self.steps for step in named):
            raise PlacementError("schedule names a step that does not exist")
        if self.scratch and len(self.scratch) != self.steps:
            raise PlacementError(f"{len(self.scratch)} scratch sizes for {self.steps} steps")
        for s in self.sharings:
            if not (0 <= s.source < len(self.tensors) and 0 <= s.target < len(self.tensors)):
                raise PlacementError("schedule names a tensor that does not exist")
            if self.tensors[s.target].producer != s.step or s.step not in self.tensors[s.source].consumers:
                raise PlacementError(f"step {s.step} does not turn tensor {s.source} into {s.target}")


@dataclass(frozen=True)
class Order:
    """Steps in order of execution, their peak in bytes, and whether no order has a smaller one."""

    steps: tuple[int, ...]
    peak: int
    proven_optimal: bool


class _Graph:
    """A StepGraph as bit masks: the set of steps done is an int."""

    def __init__(self, graph: StepGraph) -> None:
        self.steps = graph.steps
        self.predecessors = [0] * graph.steps
        self.inputs: list[list[int]] = [[] for _ in range(graph.steps)]
        self.born = [0] * graph.steps
        self.stays = [0] * graph.steps
        self.sizes = [t.size for t in graph.tensors]
        self.last_use: list[int] = []
        self.initial = 0
        for earlier, later in graph.before:
            self.predecessors[later] |= 1 << earlier
        for index, t in enumerate(graph.tensors):
            readers = 0
            for c in t.consumers:
                readers |= 1 << c
                if t.producer is not None:
                    self.predecessors[c] |= 1 << t.producer
            self.last_use.append(-1 if t.persistent else readers)
            for c in sorted(set(t.consumers)):
                self.inputs[c].append(index)
            if t.producer is None:
                self.initial += t.size if readers or t.persistent else 0
            else:
                self.born[t.producer] += t.size
                self.stays[t.producer] += t.size if readers or t.persistent else 0
        for step, scratch in enumerate(graph.scratch):
            self.born[step] += scratch
        self.sharings: list[list[Sharing]] = [[] for _ in range(graph.steps)]
        for s in graph.sharings:
            self.sharings[s.step].append(s)
        self.all = (1 << graph.steps) - 1
        self.trials = 0

    def ready(self, done: int) -> Iterator[int]:
        for step in range(self.steps):
            if not done >> step & 1 and self.predecessors[step] & ~done == 0:
                yield step

    def run(self, done: int, live: int, step: int) -> tuple[int, int]:
        """(bytes needed while the step runs, bytes live after it) from `live` bytes before it."""
        self.trials += 1
        after = done | 1 << step
        dying = [t for t in self.inputs[step] if self.last_use[t] >= 0 and self.last_use[t] & ~after == 0]
        usable = [s for s in self.sharings[step] if s.source in dying]
        during = live + self.born[step] - _most_saved(usable)
        return during, live + self.stays[step] - sum(self.sizes[t] for t in dying)


def _most_saved(usable: Sequence[Sharing]) -> int:
    """The most bytes saved when every source and every target shares at most once."""
    if not usable:
        return 0
    first, rest = usable[0], usable[1:]
    free = [s for s in rest if s.source != first.source and s.target != first.target]
    return max(_most_saved(rest), first.saved + _most_saved(free))


def exact_sharings(graph: StepGraph) -> bool:
    """Whether a peak is a lower bound on memory: no step could save more by sharing with several at once."""
    steps: dict[int, list[Sharing]] = {}
    for s in graph.sharings:
        steps.setdefault(s.step, []).append(s)
    for usable in steps.values():
        sources, targets = ({t: graph.tensors[t].size for t in ends}
                            for ends in ({s.source for s in usable}, {s.target for s in usable}))
        most = min(sum(s.saved for s in usable), sum(sources.values()), sum(targets.values()))
        if most > _most_saved(usable):
            return False
    return True


def only_order(graph: StepGraph) -> bool:
    """Whether 0, 1, ... is the only order: each step needs something of the one before."""
    g = _Graph(graph)
    return all(g.predecessors[step] >> (step - 1) & 1 for step in range(1, graph.steps))


def peak_of(graph: StepGraph, order: Sequence[int]) -> int:
    """The largest number of bytes live at any step. Raises PlacementError where the order is not legal."""
    return _peak(_Graph(graph), order)


def _peak(g: _Graph, order: Sequence[int]) -> int:
    if sorted(order) != list(range(g.steps)):
        raise PlacementError("an order has to hold every step once")
    done, live = 0, g.initial
    peak = live
    for step in order:
        if g.predecessors[step] & ~done:
            raise PlacementError(f"step {step} runs before something that it needs")
        during, live = g.run(done, live, step)
        peak = max(peak, during, live)
        done |= 1 << step
    return peak


def best_order(
    graph: StepGraph, given: Sequence[int] | None = None, max_trials: int = 300_000, beam: int = 50
) -> Order:
    """The order with the smallest peak; `given` (by default 0, 1, ...) where none is smaller.

    Exact while at most `max_trials` steps have to be tried after sets of others (some seconds' work),
    a beam search of width `beam` beyond. Work is counted, not timed, so the answer is the same
    everywhere. Raises PlacementError where `given` is not a legal order.
    """
    g = _Graph(graph)
    start = tuple(range(g.steps)) if given is None else tuple(given)
    peak = _peak(g, start)
    if peak <= _least_peak(g):
        return Order(start, peak, True)
    exact, finished = _exact(g, peak, max_trials)
    if exact is not None:
        return Order(exact, _peak(g, exact), True)
    if finished:
        return Order(start, peak, True)
    found = _beam(g, beam)
    found_peak = _peak(g, found)
    return Order(found, found_peak, False) if found_peak < peak else Order(start, peak, False)


def _least_peak(g: _Graph) -> int:
    """What any order needs: the bytes at the start, at the end, and each step's own operands."""
    least = g.initial
    for step in range(g.steps):
        read = sum(g.sizes[t] for t in g.inputs[step])
        least = max(least, read + g.born[step] - _most_saved(g.sharings[step]))
    return least


def _settle(g: _Graph, done: int, live: int, peak: int) -> tuple[int, int, list[int]]:
    """Run all steps that are free: within the peak so far, and leaving no more bytes live.

    Running such a step at once is never worse than running it later: what is freed early stays
    freed, so every later set of live tensors shrinks or stays.
    """
    ran: list[int] = []
    moved = True
    while moved:
        moved = False
        for step in list(g.ready(done)):
            during, after = g.run(done, live, step)
            if during <= peak and after <= live:
                done, live, moved = done | 1 << step, after, True
                ran.append(step)
    return done, live, ran


def _exact(g: _Graph, limit: int, max_trials: int) -> tuple[tuple[int, ...] | None, bool]:
    """(the best order with a peak below `limit` or None, whether the search is complete)."""
    peak = g.initial
    done, live, ran = _settle(g, 0, g.initial, peak)
    best: dict[int, int] = {done: peak}
    came: dict[int, tuple[int, tuple[int, ...]]] = {done: (-1, tuple(ran))}
    heap: list[tuple[int, int, int, int]] = [(peak, -done.bit_count(), done, live)]
    while heap:
        peak, _, done, live = heapq.heappop(heap)
        if peak > best[done]:
            continue
        if done == g.all:
            return _trace(came, done), True
        if g.trials > max_trials:
            return None, False
        for step in g.ready(done):
            during, after = g.run(done, live, step)
            high = max(peak, during, after)
            if high >= limit:
                continue
            closed, left, ran = _settle(g, done | 1 << step, after, high)
            if closed in best and best[closed] <= high:
                continue
            best[closed] = high
            came[closed] = (done, (step, *ran))
            heapq.heappush(heap, (high, -closed.bit_count(), closed, left))
    return None, True


def _trace(came: dict[int, tuple[int, tuple[int, ...]]], done: int) -> tuple[int, ...]:
    parts: list[tuple[int, ...]] = []
    while done != -1:
        done, ran = came[done]
        parts.append(ran)
    return tuple(step for part in reversed(parts) for step in part)


def _beam(g: _Graph, width: int) -> tuple[int, ...]:
    """A legal order from the `width` most promising sets at each number of decisions."""
    done, live, ran = _settle(g, 0, g.initial, g.initial)
    front: dict[int, tuple[int, int, tuple[int, ...]]] = {done: (g.initial, live, tuple(ran))}
    finished: list[tuple[int, tuple[int, ...]]] = []
    while front:
        reached: dict[int, tuple[int, int, tuple[int, ...]]] = {}
        for done, (peak, live, order) in front.items():
            if done == g.all:
                finished.append((peak, order))
                continue
            for step in g.ready(done):
                during, after = g.run(done, live, step)
                high = max(peak, during, after)
                closed, left, ran = _settle(g, done | 1 << step, after, high)
                entry = (high, left, (*order, step, *ran))
                if closed not in reached or entry < reached[closed]:
                    reached[closed] = entry
        kept = sorted(reached.items(), key=lambda item: item[1])[:width]
        front = dict(kept)
    return min(finished)[1]
