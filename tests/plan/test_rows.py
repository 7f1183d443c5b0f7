# SPDX-License-Identifier: Apache-2.0
"""Schedules by rows, replayed by something simpler: every window finds the rows that it wants, where it looks."""

from __future__ import annotations

import numpy as np
import pytest

from tinyc.plan.rows import Chain, Image, Layer, Schedule, Window, overlap_distance, schedule


def random_chain(seed: int) -> Chain:
    """Windows of random sizes, strides and paddings, with skips that meet again; some images are kept whole."""
    rng = np.random.default_rng(seed)
    images = {"in": Image(int(rng.integers(6, 40)), int(rng.integers(1, 9)), True)}
    layers: list[Layer] = []
    last = "in"

    def add(reads: list[tuple[str, Window]], rows: int) -> str:
        name = f"i{len(layers)}"
        images[name] = Image(rows, int(rng.integers(1, 9)), bool(rng.random() < 0.1))
        layers.append(Layer(tuple(reads), name, rows))
        return name

    def window(name: str, extent: int, stride: int, pad: int) -> str:
        height = images[name].rows
        return add([(name, Window(stride, pad, extent))], (height + 2 * pad - extent) // stride + 1)

    for _ in range(int(rng.integers(2, 6))):
        height = images[last].rows
        extent = int(rng.integers(1, min(6, height) + 1))
        stride, pad = int(rng.integers(1, 4 if height > 8 else 2)), int(rng.integers(0, extent))
        if rng.random() < 0.4 and height >= 3:
            # Two paths to one Add: a window of one row beside two layers.
            size = 3 if rng.random() < 0.7 else 1
            skip = window(last, 1, stride, 0) if stride > 1 or rng.random() < 0.5 else last
            main = window(window(last, size, stride, size // 2), 3, 1, 1)
            assert images[main].rows == images[skip].rows
            last = add([(main, Window()), (skip, Window())], images[main].rows)
        else:
            last = window(last, extent, stride, pad)
    if rng.random() < 0.5 and images[last].rows > 1:
        layers.append(Layer(((last, Window()),), "sum", images[last].rows, True))
        images["sum"] = Image(1, int(rng.integers(1, 9)), True)
    else:
        images[last] = Image(images[last].rows, images[last].row_bytes, True)
    return Chain(images, tuple(layers))


def test_random_chains_are_possible() -> None:
    assert sum(schedule(random_chain(seed)) is not None for seed in range(300)) > 250


class Wrong(Exception):
    """A row is not where it was looked for."""


def replay(plan: Schedule, extra: tuple[str, int, int] | None = None) -> dict[str, list[int]]:
    """Runs the schedule on tokens in place of bytes; how often each row was made. Raises Wrong.

    extra: (result of a layer, its distance from the beginning of "in", as one place in `in`'s bytes), or None.
    """
    chain = plan.chain
    memory: dict[str, list[tuple[str, int] | None]] = {}
    for name, image in chain.images.items():
        slots = image.rows if image.whole else plan.rings[name].slots
        memory[name] = [(name, r) if name == "in" else None for r in range(slots)]
    source = [("in", b // chain.images["in"].row_bytes) for b in range(chain.images["in"].bytes)]
    newest = dict.fromkeys(chain.images, -1)
    made: dict[str, list[int]] = {layer.result: [0] * layer.rows for layer in chain.layers}

    def overwrite(layer: int, y: int, first: bool) -> None:
        """What the layer's writes do to the bytes of "in", where its result lies over them."""
        if extra is None or chain.layers[layer].result != extra[0]:
            return
        image, at = chain.images[extra[0]], extra[1]
        if chain.layers[layer].gathers:
            begin, end = (0, image.bytes) if y == chain.layers[layer].rows - 1 else (0, 0)
        elif image.whole:
            begin, end = y * image.row_bytes, (y + 1) * image.row_bytes
        else:
            begin, end = (0, plan.ring_bytes(extra[0])) if first else (0, 0)
        for b in range(max(0, at + begin), min(len(source), at + end)):
            source[b] = ("lost", 0)

    for tick in range(plan.ticks):
        for k, layer in enumerate(chain.layers):
            y, rest = divmod(tick - plan.delay[k], plan.period[k])
            if rest or not 0 <= y < layer.rows:
                continue
            overwrite(k, y, y == 0)
            for name, window in layer.reads:
                image = chain.images[name]
                low, high = window.rows(y, image.rows)
                place = plan.place(k, name, y)
                found = memory[name][place : place + high - low] if place >= 0 else []
                if found != [(name, r) for r in range(low, high)]:
                    raise Wrong(f"tick {tick}: row {y} of {layer.result} finds {found} of {name}, wants {low}..{high}")
                if name == "in":
                    size = image.row_bytes
                    if source[low * size : high * size] != [("in", b // size) for b in range(low * size, high * size)]:
                        raise Wrong(f"tick {tick}: rows of the source are lost")
            made[layer.result][y] += 1
            if layer.gathers:
                continue
            newest[layer.result] += 1
            cells = memory[layer.result]
            if chain.images[layer.result].whole:
                cells[y] = (layer.result, y)
                continue
            ring = plan.rings[layer.result]
            if ring.shifts(y):
                cells[: ring.slots - ring.step] = cells[ring.step :]
                cells[ring.slots - ring.step :] = [None] * ring.step
            cells[ring.slot(y)] = (layer.result, y)
    return made


@pytest.mark.parametrize("block", range(10))
def test_replay(block: int) -> None:
    for seed in range(30 * block, 30 * block + 30):
        plan = schedule(random_chain(seed))
        if plan is None:
            continue
        made = replay(plan)
        assert all(count == 1 for counts in made.values() for count in counts), seed
        for image, ring in plan.rings.items():
            assert 1 <= ring.slots <= plan.chain.images[image].rows, seed


@pytest.mark.parametrize("block", range(5))
def test_distance_over_the_source(block: int) -> None:
    """At the distance nothing is lost that is read later; a byte further something is, short of the source's end."""
    tried = 0
    for seed in range(30 * block, 30 * block + 30):
        plan = schedule(random_chain(seed))
        if plan is None:
            continue
        for k, layer in enumerate(plan.chain.layers):
            image = plan.chain.images[layer.result]
            row, size = (image.row_bytes, 0) if image.whole else (0, plan.ring_bytes(layer.result))
            distance = overlap_distance(plan, "in", k, row, size)
            replay(plan, (layer.result, distance, 0))
            if distance < plan.chain.images["in"].bytes - (image.bytes if image.whole else size):
                tried += 1
                with pytest.raises(Wrong):
                    replay(plan, (layer.result, distance + 1, 0))
    assert tried > 40


def chain_of(height: int, *windows: Window) -> Chain:
    """Layers one behind the other, with 10 bytes a row; the result is whole."""
    images, layers, name = {"in": Image(height, 10, True)}, [], "in"
    for k, w in enumerate(windows):
        rows = (images[name].rows + 2 * w.pad - w.extent) // w.stride + 1
        layers.append(Layer(((name, w),), f"i{k}", rows))
        name = f"i{k}"
        images[name] = Image(rows, 10, k == len(windows) - 1)
    return Chain(images, tuple(layers))


def test_windows_keep_what_they_cover() -> None:
    plan = schedule(chain_of(30, Window(1, 1, 3), Window(1, 1, 3), Window(2, 1, 3), Window(1, 0, 1)))
    assert plan is not None
    assert [plan.rings[f"i{k}"].slots for k in range(3)] == [3, 3, 1]
    assert plan.delay == (0, 1, 2, 2) and plan.period == (1, 1, 2, 2)
    assert plan.passing == {"i2"}


def test_rows_move_along_only_when_there_is_no_slot_left() -> None:
    """A window that advances by two rows lets rows move every second time."""
    plan = schedule(chain_of(41, Window(1, 1, 3), Window(2, 0, 3)))
    assert plan is not None
    ring = plan.rings["i0"]
    assert (ring.slots, ring.step) == (3, 2)
    assert plan.moved_bytes("i0") == 19 * 10
    assert [ring.slot(r) for r in range(7)] == [0, 1, 2, 1, 2, 1, 2]


def test_a_skip_waits_as_few_rows_as_possible() -> None:
    """The skip of a residual block with stride 2 is made late: two rows of it wait, and not three."""
    images = {"in": Image(32, 16, True), "a": Image(32, 16, False), "skip": Image(16, 16, False),
              "b": Image(16, 16, False), "c": Image(16, 16, False), "out": Image(16, 16, True)}
    plan = schedule(Chain(images, (
        Layer((("in", Window(1, 1, 3)),), "a", 32), Layer((("a", Window(2, 0, 1)),), "skip", 16),
        Layer((("a", Window(2, 0, 3)),), "b", 16), Layer((("b", Window(1, 1, 3)),), "c", 16),
        Layer((("skip", Window()), ("c", Window())), "out", 16),
    )))
    assert plan is not None
    assert {name: ring.slots for name, ring in plan.rings.items()} == {"a": 3, "skip": 2, "b": 3, "c": 1}
    replay(plan)


def test_what_has_no_rhythm_has_no_schedule() -> None:
    images = {"in": Image(16, 1, True), "a": Image(16, 1, False), "b": Image(16, 1, False), "c": Image(8, 1, True)}
    twice = Chain(images, (Layer((("in", Window()),), "a", 16), Layer((("in", Window()),), "b", 16)))
    assert schedule(twice) is None  # nothing connects the two
    apart = (Layer((("in", Window()),), "a", 16), Layer((("a", Window()),), "b", 16),
             Layer((("a", Window(2)), ("b", Window())), "c", 8))
    assert schedule(Chain(images, apart)) is None  # c would need rows of a and b at different rates
    beyond = (Layer((("in", Window(1, 2, 2)),), "a", 16),)
    assert schedule(Chain(images, beyond)) is None  # the first window lies in the padding wholly


def test_planes_are_needed_to_the_end() -> None:
    """Where a row is no run of memory, none of the image is free before all rows have been read."""
    images = {"in": Image(12, 10, True), "a": Image(12, 10, False), "out": Image(12, 10, True)}
    layers = (Layer((("in", Window()),), "a", 12), Layer((("a", Window(1, 1, 3)),), "out", 12))
    plan = schedule(Chain(images, layers))
    scattered = schedule(Chain({**images, "in": Image(12, 10, True, True)}, layers))
    assert plan is not None and scattered is not None
    assert overlap_distance(plan, "in", 1, 10) == 0  # each row into the place of one that has been read
    assert overlap_distance(scattered, "in", 1, 10) == -100  # the last two rows alone come after the last reading
