# SPDX-License-Identifier: Apache-2.0
"""Layers computed row by row: when each row is made, and how many rows of each image are kept.

A chain of layers shares one loop. In each turn (tick) every layer whose next row is due makes it, in the
chain's order, so that a row that others read exists by the time they read it, and nothing is made twice.
An image in between is a window of a few rows that slides: see `Ring`. Pure arithmetic; sizes in bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache


@dataclass(frozen=True)
class Window:
    """The rows that row y of a result needs: `extent` rows from y * stride - pad on, where they exist."""

    stride: int = 1
    pad: int = 0
    extent: int = 1

    def rows(self, y: int, height: int) -> tuple[int, int]:
        """First row and the one behind the last, of an image of that height."""
        first = y * self.stride - self.pad
        return min(max(0, first), height), max(0, min(height, first + self.extent))


@dataclass(frozen=True)
class Image:
    """`rows` rows of `row_bytes`. `whole`: in memory as a whole, read or written there row by row.

    `scattered`: whole, and a row is no run of memory (planes of channels).
    """

    rows: int
    row_bytes: int
    whole: bool
    scattered: bool = False

    @property
    def bytes(self) -> int:
        return self.rows * self.row_bytes


@dataclass(frozen=True)
class Layer:
    """Makes row y of `result` from windows of images, for y = 0 ... rows - 1.

    `gathers`: runs so many times too, but writes its result (all of it) in its last turn only.
    """

    reads: tuple[tuple[str, Window], ...]
    result: str
    rows: int
    gathers: bool = False


@dataclass(frozen=True)
class Chain:
    """Layers in an order in which each reads only what layers before it make, or whole images."""

    images: Mapping[str, Image]
    layers: tuple[Layer, ...]

    @cached_property
    def makers(self) -> dict[str, int]:
        """The layer whose result each image is, but for those that are there from the start."""
        return {layer.result: k for k, layer in enumerate(self.layers)}

    @cached_property
    def readers(self) -> dict[str, list[tuple[int, Window]]]:
        """The layers that read each image, with their windows on it."""
        found: dict[str, list[tuple[int, Window]]] = {name: [] for name in self.images}
        for k, layer in enumerate(self.layers):
            for name, window in layer.reads:
                found[name].append((k, window))
        return found


@dataclass(frozen=True)
class Ring:
    """An image as `slots` rows. Row r goes to slot r - base; base rises by `step` when no slot is free.

    The rows that stay are moved down then, so that a window is always one run of memory.
    """

    slots: int
    step: int = 1

    def base(self, newest: int) -> int:
        """The row in slot 0 once row `newest` has been made."""
        return 0 if newest < self.slots else -(-(newest + 1 - self.slots) // self.step) * self.step

    def slot(self, row: int) -> int:
        """Where a row is put when it is made."""
        return row - self.base(row)

    def shifts(self, row: int) -> bool:
        """Whether the rows move down before this row is made."""
        return row > 0 and self.base(row) != self.base(row - 1)


@dataclass(frozen=True)
class Schedule:
    """Layer k makes row y in tick delay[k] + period[k] * y. `rings`: images that are not whole.

    `passing`: rings of one slot whose row is read only in the tick that makes it.
    """

    chain: Chain
    delay: tuple[int, ...]
    period: tuple[int, ...]
    rings: Mapping[str, Ring]
    passing: frozenset[str]

    @property
    def ticks(self) -> int:
        return max(d + p * (layer.rows - 1) + 1
                   for d, p, layer in zip(self.delay, self.period, self.chain.layers, strict=True))

    def tick(self, layer: int, y: int) -> int:
        return self.delay[layer] + self.period[layer] * y

    def newest(self, image: str, tick: int) -> int:
        """The last row of an image that has been made when its readers run in that tick; -1 for none."""
        maker = self.chain.makers[image]
        return min(self.chain.layers[maker].rows - 1, (tick - self.delay[maker]) // self.period[maker])

    def place(self, layer: int, image: str, y: int) -> int:
        """Row or slot where the window of `layer` on an image begins, for row y of the result."""
        window = next(w for name, w in self.chain.layers[layer].reads if name == image)
        first, _ = window.rows(y, self.chain.images[image].rows)
        if self.chain.images[image].whole:
            return first
        return first - self.rings[image].base(self.newest(image, self.tick(layer, y)))

    def ring_bytes(self, image: str) -> int:
        return self.rings[image].slots * self.chain.images[image].row_bytes

    def moved_bytes(self, image: str) -> int:
        """Bytes that move down in all while the image is made."""
        ring, shape = self.rings[image], self.chain.images[image]
        return sum(ring.shifts(row) for row in range(shape.rows)) * max(0, ring.slots - ring.step) * shape.row_bytes


def schedule(chain: Chain) -> Schedule | None:
    """The schedule with the least memory that this search finds; None where the layers do not share a rhythm."""
    period = _periods(chain)
    if period is None or not all(_reads_something(chain, layer) for layer in chain.layers):
        return None
    delay = _earliest(chain, period)
    delay = _later_where_smaller(chain, period, delay)
    rings: dict[str, Ring] = {}
    passing = set()
    for image, maker in chain.makers.items():
        if chain.images[image].whole:
            continue
        slots = _slots(chain, period, delay, image)
        rings[image] = _coarsest(chain, period, delay, image, slots)
        if slots == 1 and all(delay[k] == delay[maker] for k, _ in chain.readers[image]):
            passing.add(image)
    return Schedule(chain, tuple(delay), tuple(period), rings, frozenset(passing))


def overlap_distance(
    plan: Schedule, source: str, layer: int, row_bytes: int = 0, size: int = 0
) -> int:
    """How far above the beginning of whole image `source` a buffer that `layer` writes may begin, in bytes.

    The rows of `source` that nobody reads any more are free. The buffer is written row by row where `row_bytes`
    is given, else as a whole of `size` bytes from the layer's first tick on. Usually negative, as for
    tinyc.plan.problem.Overlap.
    """
    chain = plan.chain
    kept = chain.images[source]
    writes = [(plan.tick(layer, y), (y + 1) * row_bytes) for y in range(chain.layers[layer].rows)]
    if not row_bytes:
        writes = [(writes[0][0], size)]
    if chain.layers[layer].gathers and row_bytes:
        writes = [(writes[-1][0], chain.images[chain.layers[layer].result].bytes)]
    best = kept.bytes
    for tick, end in writes:
        needed = kept.rows
        for k, window in chain.readers[source]:
            # The first row that reader k has yet to make when `layer` has written in this tick (its own is being made).
            passed = tick - plan.delay[k]
            y = max(0, -(-passed // plan.period[k]))
            if passed >= 0 and k < layer and passed % plan.period[k] == 0:
                y += 1
            if y < chain.layers[k].rows:
                needed = min(needed, window.rows(y, kept.rows)[0])
        free = 0 if kept.scattered and needed < kept.rows else needed * kept.row_bytes
        best = min(best, free - end)
    return best


# -- rhythm --------------------------------------------------------------------------------------


def _reads_something(chain: Chain, layer: Layer) -> bool:
    """Whether each row needs at least one existing row of each image."""
    for name, window in layer.reads:
        height = chain.images[name].rows
        for y in (0, layer.rows - 1):
            first, end = window.rows(y, height)
            if first >= end:
                return False
    return True


def _periods(chain: Chain) -> list[int] | None:
    """Ticks between two rows of each layer; None where layers are not connected or contradict each other."""
    made = chain.makers
    rate: dict[int, Fraction] = {0: Fraction(1)}
    waiting = [0]
    links: list[list[tuple[int, Fraction]]] = [[] for _ in chain.layers]
    for k, layer in enumerate(chain.layers):
        for name, window in layer.reads:
            if name in made:
                links[made[name]].append((k, Fraction(window.stride)))
                links[k].append((made[name], Fraction(1, window.stride)))
    while waiting:
        k = waiting.pop()
        for other, factor in links[k]:
            wanted = rate[k] * factor
            if other not in rate:
                rate[other] = wanted
                waiting.append(other)
            elif rate[other] != wanted:
                return None
    if len(rate) < len(chain.layers):
        return None
    common = math.lcm(*(r.denominator for r in rate.values()))
    whole = [int(rate[k] * common) for k in range(len(chain.layers))]
    divisor = math.gcd(*whole)
    return [w // divisor for w in whole]


def _ahead(chain: Chain, image: str, window: Window) -> int:
    """How many rows of an image beyond y * stride row y of a layer needs."""
    return min(window.extent - 1 - window.pad, chain.images[image].rows - 1)


def _earliest(chain: Chain, period: Sequence[int]) -> list[int]:
    made = chain.makers
    delay: list[int] = []
    for layer in chain.layers:
        ready = 0
        for name, window in layer.reads:
            if name in made:
                maker = made[name]
                ready = max(ready, delay[maker] + period[maker] * _ahead(chain, name, window))
        delay.append(ready)
    return delay


@lru_cache(maxsize=65536)
def _rows_kept(window: Window, height: int, rows: int, late: int, period: int) -> int:
    """Slots that a reader needs whose row y comes `late` ticks after row y * stride of the image."""
    most = 1
    for y in range(rows):
        newest = min(height - 1, y * window.stride + late // period)
        most = max(most, newest - window.rows(y, height)[0] + 1)
    return most


def _slots(chain: Chain, period: Sequence[int], delay: Sequence[int], image: str) -> int:
    maker = chain.makers[image]
    return max(
        (_rows_kept(window, chain.images[image].rows, chain.layers[k].rows, delay[k] - delay[maker], period[maker])
         for k, window in chain.readers[image]),
        default=1,
    )


def _coarsest(chain: Chain, period: Sequence[int], delay: Sequence[int], image: str, slots: int) -> Ring:
    """The ring of so many slots that moves rows most seldom."""
    maker, height = chain.makers[image], chain.images[image].rows
    readers = chain.readers[image]
    for step in range(min(slots, 4), 1, -1):
        ring = Ring(slots, step)
        # With strides that are no multiples of the step, windows would begin in ever other slots.
        if not any(window.stride % step for _, window in readers) and all(
            window.rows(y, height)[0]
            >= ring.base(min(height - 1, (delay[k] + period[k] * y - delay[maker]) // period[maker]))
            for k, window in readers
            for y in range(chain.layers[k].rows)
        ):
            return ring
    return Ring(slots)


def _kept_bytes(chain: Chain, period: Sequence[int], delay: Sequence[int]) -> int:
    total = 0
    for layer in chain.layers:
        image = chain.images[layer.result]
        if not image.whole:
            total += _slots(chain, period, delay, layer.result) * image.row_bytes
    return total


def _later_where_smaller(chain: Chain, period: Sequence[int], earliest: Sequence[int]) -> list[int]:
    """Delays layers that wait for others anyway, as far as that takes less memory; the last layers first."""
    delay = list(earliest)
    best = _kept_bytes(chain, period, delay)
    for k in range(len(chain.layers) - 1, -1, -1):
        image = chain.layers[k].result
        limits = [delay[reader] - period[k] * _ahead(chain, image, window) for reader, window in chain.readers[image]]
        found = delay[k]
        for candidate in range(delay[k] + 1, min(limits, default=delay[k]) + 1):
            delay[k] = candidate
            kept = _kept_bytes(chain, period, delay)
            if kept < best:
                best, found = kept, candidate
        delay[k] = found
    return delay


def with_whole(chain: Chain, images: Sequence[str]) -> Chain:
    """The chain with these images kept whole."""
    return Chain({n: replace(i, whole=True) if n in images else i for n, i in chain.images.items()}, chain.layers)
