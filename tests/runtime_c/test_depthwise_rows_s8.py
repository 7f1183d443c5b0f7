# SPDX-License-Identifier: Apache-2.0
"""Depthwise convolutions a row of one channel at a time, against a NumPy statement of the specification."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from int8_calls import Conv, expected_conv, fast, random_int8, with_buffers
from kernel_batch import Call, c_array, run_calls

from tinyc.kernels.lanes import SUM_LIMIT, Channels

TARGETS = ["host", "cortex-m0", "cortex-m0plus", "cortex-m23", "cortex-m3", "riscv32imac"]
FUNCTIONS, HEADERS = ["depthwise_rows_s8"], ["tinyc_depthwise_rows.h"]


def rows_call(name: str, p: Conv, place: tuple[int, int] | None = None) -> Call:
    """place: where the input and the output begin in one buffer that both share."""
    weights = p.w.reshape(9, -1).T
    bias = p.bias + p.input_offset * weights.astype(np.int64).sum(1)
    channels = Channels(weights, bias, p.multiplier, p.shift, p.output_offset, *p.clamp)
    assert channels.obstacle(limited=False) is None
    _, h, w, depth = p.x.shape
    numbers = (h, w, *p.output, *p.stride, *p.pad, depth, -p.input_offset, p.output_offset, *p.clamp)
    source, result = ("@0", "@2") if place is None else (f"(@0 + {place[0]})", f"(@0 + {place[1]})")
    code = (
        f"const tinyc_depthwise_rows conv = {{{', '.join(map(str, numbers))}}};\n"
        f"tinyc_depthwise_rows_s8(&conv, {source}, @1, {c_array('uint8_t', channels.exponents())}, "
        f"{c_array('int32_t', channels.table().reshape(-1))}, {result}, (int32_t *)(void *)@3);"
    )
    expected = expected_conv(p).reshape(-1)
    sums = np.zeros(p.output[1], np.int32)
    if place is None:
        buffers = (p.x, np.ascontiguousarray(weights), np.zeros(expected.size, np.int8), sums)
        return Call(name, with_buffers(code), buffers, 2, expected)
    shared = np.zeros(max(place[0] + p.x.size, place[1] + expected.size), np.int8)
    shared[place[0] : place[0] + p.x.size] = p.x.reshape(-1)
    whole = shared.copy()
    whole[place[1] : place[1] + expected.size] = expected
    buffers = (shared, np.ascontiguousarray(weights), np.zeros(1, np.int8), sums)
    return Call(name, with_buffers(code), buffers, 0, whole)


def random_rows(rng: np.random.Generator, extent: tuple[int, int], channels: int, stride: tuple[int, int]) -> Conv:
    """Padding as wide as the kernel allows; all that a window may have of it."""
    pad = (int(rng.integers(0, 3)), int(rng.integers(0, 2)))
    output = []
    for size, step, before, after in zip(extent, stride, pad, (int(rng.integers(0, 3)), 1), strict=True):
        output.append(max(1, (size + before + after - 3) // step + 1))
    output[0] = min(output[0], (extent[0] - 1 + pad[0]) // stride[0] + 1)
    shift = -rng.integers(5, 9, channels)
    return Conv(
        random_int8(rng, (1, *extent, channels), rng.random() < 0.2),
        random_int8(rng, (3, 3, channels), rng.random() < 0.2),
        rng.integers(-(2**13), 2**13, channels).astype(np.int32),
        rng.integers(2**30, 2**31, channels).astype(np.int32), shift.astype(np.int32),
        (output[0], output[1]), stride, pad, input_offset=int(rng.integers(-127, 129)),
        output_offset=int(rng.integers(-128, 128)), depthwise=True,
        clamp=(-128, 127) if rng.random() < 0.6 else tuple(sorted(int(v) for v in rng.integers(-128, 128, 2))),
    )  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
def test_random_shapes(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(41)
    calls = []
    while len(calls) < 60:
        stride = (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
        p = random_rows(rng, (int(rng.integers(1, 7)), int(rng.integers(2, 9))), int(rng.integers(1, 9)), stride)
        if p.output[1] > 1 and p.pad[0] < p.x.shape[1] + 2:
            calls.append(rows_call(f"random_{len(calls)}", p))
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("target", TARGETS)
def test_over_its_own_input(target: str, tmp_path: Path) -> None:
    """A row below the first line that it reads, or behind the last one, from the first row or the last to the other."""
    rng = np.random.default_rng(42)
    calls = []
    for channels in (1, 3, 8):
        p = replace(random_rows(rng, (6, 5), channels, (1, 1)), pad=(1, 1), output=(6, 5))
        line = 5 * channels
        for place in ((2 * line, 0), (2 * line + 3, 0), (0, 2 * line), (0, 2 * line + 1)):
            calls.append(rows_call(f"over_{channels}_{place}", p, place))
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("target", TARGETS)
def test_sums_at_their_limits(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(43)
    edges = [s * (2**k + d) for k in range(20) for s in (-1, 1) for d in (-1, 0, 1)]
    sums = np.array([-SUM_LIMIT, SUM_LIMIT - 1, *edges])
    n = len(sums)
    p = Conv(np.ones((1, 3, 3, n), np.int8), np.zeros((3, 3, n), np.int8), sums.astype(np.int32),
             rng.integers(2**30, 2**31, n).astype(np.int32), -rng.integers(1, 15, n).astype(np.int32), (3, 3),
             pad=(1, 1), input_offset=128, depthwise=True)  # fmt: skip
    run_calls([rows_call("limits", p)], FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize(("target", "most"), [("cortex-m0plus", 12.3), ("cortex-m3", 9.3), ("riscv32imac", 11.0)])
def test_instructions(target: str, most: float, tmp_path: Path) -> None:
    """The keyword spotter's layers, 25x5 pixels, half of them at an edge; with the copies that the test makes."""
    p = replace(random_rows(np.random.default_rng(44), (25, 5), 64, (1, 1)), pad=(1, 1), output=(25, 5))
    call = rows_call("count", p)
    used = run_calls([call], FUNCTIONS, HEADERS, target, tmp_path, optimize="speed", count_instructions=True)
    assert used is not None and used < most * 25 * 5 * 64 * 9
