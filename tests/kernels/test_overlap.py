# SPDX-License-Identifier: Apache-2.0
"""Outputs that run over their inputs: chains of windowed layers with random shapes stay exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from integer_networks import Network
from tinyc.cases import Cases
from tinyc.compiler import Request, compile_imported
from tinyc.frontend import Imported
from tinyc.ir import Graph
from tinyc.ir.evaluate import evaluate
from tinyc.kernels.overlap import above, below, below_tiles
from tinyc.targets import load_target
from tinyc.verification import run_cases


def chain(seed: int) -> Graph:
    """Convolutions, depthwise convolutions and poolings in random order, sizes and strides."""
    net = Network(seed)
    rng = np.random.default_rng(1000 + seed)
    first = x = net.value((1, int(rng.integers(7, 16)), int(rng.integers(7, 16)), int(rng.integers(1, 9))))
    for _ in range(9):
        kind, stride = rng.integers(0, 6), int(rng.integers(1, 3))
        h, w = net.editor.view().type(x).shape[1:3]
        if min(h, w) < 6:
            stride = 1
        channels = int(rng.integers(1, 24))
        if kind <= 1:
            x = net.conv(x, channels, 1, 0, 0.0, stride)
        elif kind == 2:
            x = net.conv(x, channels, 3, 1, 0.0, stride)
        elif kind == 3 and min(h, w) > 4:
            x = net.pool(x, "MaxPool" if seed % 2 else "AveragePool", 2, stride)
        elif kind == 4:
            x = net.depthwise(x, 0.0, 5 if rng.random() < 0.3 else 3, stride)
        else:
            x = net.depthwise(x, 0.0, 3, 1, 2 if rng.random() < 0.3 and min(h, w) > 4 else 1)
    return net.done([first], x)


@pytest.mark.parametrize(
    ("target", "seeds"),
    [("host", range(0, 8)), ("host", range(8, 16)), ("cortex-m4", range(0, 6)), ("cortex-m55", range(0, 6)),
     ("cortex-m0plus", range(6, 9))],
)
def test_chains_are_exact(target: str, seeds: range) -> None:
    tighter = 0
    for seed in seeds:
        graph = chain(seed)
        request = Request(Path("chain.onnx"), load_target(target))
        compiled = compile_imported(Imported(graph, "chain", "", {}, (), graph.inputs, graph.outputs), request)
        tighter += compiled.arena.bytes < compiled.arena.bound
        rng = np.random.default_rng(seed)
        shape = graph.type(graph.inputs[0]).shape
        inputs = [rng.integers(-128, 128, shape).astype(np.int8) for _ in range(2)]
        outputs, unaligned = run_cases(compiled, Cases(tuple((i,) for i in inputs), None), sanitize=target == "host")
        assert unaligned is None
        for given, got in zip(inputs, outputs, strict=True):
            assert np.array_equal(got[0], evaluate(graph, {graph.inputs[0]: given})[graph.outputs[0]]), seed
    assert tighter >= len(seeds) // 2  # overlap was really used


@pytest.mark.parametrize("seed", range(60))
def test_limits_against_simulation(seed: int) -> None:
    """At the limit no pixel that is still to be read has been overwritten; one byte further one has, or the
    result leaves the input altogether."""
    rng = np.random.default_rng(seed)
    h, w, c, o = (int(v) for v in rng.integers(1, 7, 4))
    kernel, stride = (int(rng.integers(1, min(h, w) + 1)),) * 2, (int(rng.integers(1, 3)),) * 2
    pads = (int(rng.integers(0, kernel[0])),) * 4
    out = tuple((e + 2 * p - k) // s + 1 for e, p, k, s in zip((h, w), pads[:2], kernel, stride, strict=True))
    x, y = (1, h, w, c), (1, *out, o)
    low = below(x, y, stride, pads, consumed=False)
    high = above(x, y, kernel, stride, (1, 1), pads)
    assert survives(x, y, kernel, stride, pads, low, backward=False)
    assert survives(x, y, kernel, stride, pads, high, backward=True)
    assert low == h * w * c or not survives(x, y, kernel, stride, pads, low + 1, backward=False)
    assert high == 1 or not survives(x, y, kernel, stride, pads, high - 1, backward=True)


@pytest.mark.parametrize("seed", range(60))
def test_limits_of_tiles_against_simulation(seed: int) -> None:
    """3x3 windows, two tiles of 2x2 results read and then written: the same."""
    rng = np.random.default_rng(seed)
    h, w, c, o = (int(v) for v in rng.integers(1, 8, 4))
    pads = tuple(int(rng.integers(max(0, (3 - e + 1) // 2), 3)) for e in (h, w)) * 2
    x, y = (1, h, w, c), (1, h + 2 * pads[0] - 2, w + 2 * pads[1] - 2, o)
    low = below_tiles(x, y, pads, 2, 2)
    assert tiles_survive(x, y, pads, low)
    assert low == h * w * c or not tiles_survive(x, y, pads, low + 1)


def tiles_survive(x, y, pads, delta: int) -> bool:
    """Byte by byte: results are written over all that lies in front of them, where a tile's two rows do not follow."""
    (_, h, w, c), (_, out_h, out_w, o) = x, y
    tiles = [(r, q) for r in range(0, out_h, 2) for q in range(0, out_w, 2)]
    overwritten: set[int] = set()
    for k in range(0, len(tiles), 2):
        for r, q in tiles[k : k + 2]:
            read = {((iy * w + ix) * c + byte)
                    for iy in range(max(0, r - pads[0]), min(h, r - pads[0] + 4))
                    for ix in range(max(0, q - pads[1]), min(w, q - pads[1] + 4)) for byte in range(c)}
            if read & overwritten:
                return False
        for r, q in tiles[k : k + 2]:
            for oy in range(r, min(r + 2, out_h)):
                at = delta + (oy * out_w + q) * o
                overwritten |= set(range(at, at + min(2, out_w - q) * o))
    return True


def test_work_from_the_end_needs_a_result_above_its_input() -> None:
    """At the same address kernels work from the first pixel on, and here that would destroy what is still needed."""
    x, y, pads = (1, 3, 3, 2), (1, 4, 4, 2), (1, 0, 0, 1)
    assert not survives(x, y, (1, 1), (1, 1), pads, 0, backward=False)
    assert survives(x, y, (1, 1), (1, 1), pads, 0, backward=True)
    assert above(x, y, (1, 1), (1, 1), (1, 1), pads) == 1


def survives(x, y, kernel, stride, pads, delta: int, backward: bool) -> bool:
    """Byte by byte: a pixel reads its whole window, also while it is written."""
    _, h, w, c = x
    _, out_h, out_w, o = y
    overwritten: set[int] = set()
    pixels = [(r, q) for r in range(out_h) for q in range(out_w)]
    for r, q in reversed(pixels) if backward else pixels:
        at = delta + (r * out_w + q) * o
        overwritten |= set(range(at, at + o))
        for ky in range(kernel[0]):
            for kx in range(kernel[1]):
                iy, ix = r * stride[0] - pads[0] + ky, q * stride[1] - pads[1] + kx
                if 0 <= iy < h and 0 <= ix < w:
                    start = (iy * w + ix) * c
                    if overwritten & set(range(start, start + c)):
                        return False
    return True
