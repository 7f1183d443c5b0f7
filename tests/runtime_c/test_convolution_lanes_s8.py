# SPDX-License-Identifier: Apache-2.0
"""Convolutions in which two pixels share a multiplication, against a NumPy statement of the specification."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from int8_calls import Conv, expected_conv, fast, random_int8, with_buffers
from kernel_batch import Call, c_array, run_calls

from tinyc.kernels.lanes import SUM_LIMIT, Channels

TARGETS = ["host", "cortex-m0", "cortex-m0plus", "cortex-m23", "cortex-m3", "riscv32imac"]
FUNCTIONS, HEADERS = ["convolve_lanes_s8", "convolve_even_lanes_s8"], ["tinyc_lanes.h"]


def channels_of(p: Conv) -> Channels:
    weights = p.w.reshape(p.w.shape[0], -1)
    bias = p.bias + p.input_offset * weights.astype(np.int64).sum(1)
    return Channels(weights, bias, p.multiplier, p.shift, p.output_offset, *p.clamp)


def lanes_call(name: str, p: Conv, overlap: int | None = None, even: bool = False) -> Call:
    """overlap: the output begins so many bytes before the input, in one buffer. even: with even runs."""
    channels = channels_of(p)
    assert channels.obstacle() is None
    if even:
        function, tables = "tinyc_convolve_even_lanes_s8", c_array("int32_t", channels.even_table().reshape(-1))
    else:
        runs = channels.runs()
        assert runs.max() <= 255 and (runs == 238).sum() >= len(p.w)
        function = "tinyc_convolve_lanes_s8"
        tables = f"{c_array('uint8_t', runs)}, {c_array('int32_t', channels.table().reshape(-1))}"
    _, h, w, depth = p.x.shape
    sizes = ((h, w), p.output, p.kernel, p.stride, p.pad, p.dilation)
    fields = ", ".join(f"{{{a}, {b}}}" for a, b in sizes)
    fields += f", {depth}, {p.channels}, {-p.input_offset}, {p.output_offset}, {p.clamp[0]}, {p.clamp[1]}"
    source, result = ("@0", "@2") if overlap is None else (f"(@0 + {overlap})", "@0")
    code = (
        f"const tinyc_lanes_conv conv = {{{fields}}};\n"
        f"{function}(&conv, {source}, @1, {tables}, {result}, (uint32_t *)(void *)@3);"
    )
    expected = expected_conv(p)
    columns = np.zeros(8 * p.w[0].size // 4, np.int32)
    if overlap is None:
        buffers = (p.x, p.w, np.zeros(expected.size, np.int8), columns)
        return Call(name, with_buffers(code), buffers, 2, expected, macs=p.macs)
    buffer = np.zeros(max(overlap + p.x.size, expected.size), np.int8)
    buffer[overlap : overlap + p.x.size] = p.x.reshape(-1)
    whole = np.concatenate([expected.reshape(-1), np.zeros(len(buffer) - expected.size, np.int8)])
    # What lies behind the result is what is left of the input.
    whole[expected.size :] = buffer[expected.size :]
    return Call(name, with_buffers(code), (buffer, p.w, np.zeros(1, np.int8), columns), 0, whole, macs=p.macs)


def random_conv(rng: np.random.Generator, extent, kernel, depth: int, channels: int, **changes) -> Conv:
    """Scales spread sums over the int8 range; some channels have extreme, small or no weights."""
    w = random_int8(rng, (channels, *kernel, depth), rng.random() < 0.1)
    w[rng.random(channels) < 0.1] = 0
    small = rng.random(channels) < 0.3
    w[small] = rng.integers(-3, 4, w[small].shape)
    stride, dilation = rng.integers(1, 3, 2), rng.integers(1, 3, 2)
    pad = np.array([int(rng.integers(0, k)) for k in kernel])
    reach = (np.array(kernel) - 1) * dilation + 1
    output = np.maximum((np.array(extent) + 2 * pad - reach) // stride + 1, 1)
    taps = depth * int(np.prod(kernel))
    fields = {
        "bias": rng.integers(-(2**13), 2**13, channels).astype(np.int32),
        "multiplier": rng.integers(2**30, 2**31, channels).astype(np.int32),
        "shift": np.maximum(-14, -rng.integers(5, 8, channels) - int(np.log2(taps) / 2)).astype(np.int32),
        "input_offset": int(rng.choice([128, -127, 0, int(rng.integers(-127, 129))])),
        "output_offset": int(rng.integers(-128, 128)),
        "clamp": (-128, 127) if rng.random() < 0.6 else tuple(sorted(int(v) for v in rng.integers(-128, 128, 2))),
    }
    x = random_int8(rng, (1, *extent, depth), rng.random() < 0.1)
    geometry = {"output": output, "stride": stride, "pad": pad, "dilation": dilation}
    return Conv(x, w, **{**fields, **{k: tuple(map(int, v)) for k, v in geometry.items()}, **changes})


@pytest.mark.parametrize("target", TARGETS)
def test_random_shapes(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(31)
    calls = []
    while len(calls) < 120:
        extent, kernel = rng.integers(1, 8, 2), rng.integers(1, 4, 2)
        depth, channels = int(rng.choice([1, 2, 3, 5, 8, 17, 40])), int(rng.integers(1, 9))
        if np.any(extent < kernel):
            continue
        p = random_conv(rng, tuple(map(int, extent)), tuple(map(int, kernel)), depth, channels)
        if channels_of(p).obstacle() is None:
            calls += [lanes_call(f"random_{len(calls)}", p, even=even) for even in (False, True)]
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("target", TARGETS)
def test_over_its_own_input(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(32)
    calls = []
    for depth, channels in [(1, 1), (8, 8), (12, 5), (30, 30)]:
        for overlap in (0, 1, depth):
            p = random_conv(rng, (3, 5), (1, 1), depth, channels, stride=(1, 1), pad=(0, 0), output=(3, 5))
            calls += [lanes_call(f"over_{depth}_{channels}_{overlap}", p, overlap, even) for even in (False, True)]
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("target", TARGETS)
def test_requantization_at_its_limits(target: str, tmp_path: Path) -> None:
    """Sums at powers of two, at ties of both roundings, and where 20 bits end; every exponent."""
    rng = np.random.default_rng(33)
    calls = []
    for exponent in range(1, 15):
        for multiplier in (2**30, 2**30 + 1, 2**31 - 1, int(rng.integers(2**30, 2**31))):
            steps = np.arange(-130, 131) * 2.0 ** (31 + exponent) / multiplier
            ties = np.array([f(steps + half) for half in (0, 0.5 * 2.0 ** (31 + exponent) / multiplier)
                             for f in (np.floor, np.ceil)]).reshape(-1)  # fmt: skip
            edges = np.array([s * (2**k + d) for k in range(21) for s in (-1, 1) for d in (-1, 0, 1)])
            sums = np.unique(np.concatenate([ties, edges]).astype(np.int64))
            sums = sums[(sums >= -SUM_LIMIT) & (sums < SUM_LIMIT)]
            n = len(sums)
            # One pixel whose input, 1, is multiplied with 0: the bias alone is the sum.
            p = Conv(np.ones((1, 1, 1, 1), np.int8), np.zeros((n, 1, 1, 1), np.int8), sums.astype(np.int32),
                     np.full(n, multiplier, np.int32), np.full(n, -exponent, np.int32), (1, 1), input_offset=0,
                     output_offset=int(rng.choice([-128, 0, 127])))  # fmt: skip
            calls += [lanes_call(f"limits_{exponent}_{multiplier}", p, even=even) for even in (False, True)]
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("target", TARGETS)
def test_sums_beyond_twenty_bits_are_clamped(target: str, tmp_path: Path) -> None:
    x = np.full((1, 1, 2, 100), 127, np.int8)
    x[0, 0, 1] = -128
    w = np.full((2, 1, 1, 100), 127, np.int8)
    w[1] = -127
    bias, multiplier, shift = np.zeros(2, np.int32), np.full(2, 2**30, np.int32), np.full(2, -8, np.int32)
    p = Conv(x, w, bias, multiplier, shift, (1, 2), input_offset=128)
    calls = [lanes_call("clamped", p, even=even) for even in (False, True)]
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path)


@pytest.mark.parametrize(
    ("target", "even", "most"),
    [("cortex-m0plus", False, 3.6), ("cortex-m3", False, 3.5), ("riscv32imac", False, 3.9),
     ("cortex-m0plus", True, 3.9), ("cortex-m3", True, 3.5), ("riscv32imac", True, 4.2)],
)  # fmt: skip
def test_instructions(target: str, even: bool, most: float, tmp_path: Path) -> None:
    """A 1x1 convolution of 64 to 64 channels, weights normally distributed."""
    rng = np.random.default_rng(34)
    p = random_conv(rng, (5, 8), (1, 1), 64, 64, stride=(1, 1), pad=(0, 0), output=(5, 8))
    p = replace(p, w=np.clip(np.rint(rng.normal(0, 40, p.w.shape)), -127, 127).astype(np.int8))
    call = lanes_call("count", p, even=even)
    used = run_calls([call], FUNCTIONS, HEADERS, target, tmp_path, optimize="speed", count_instructions=True)
    assert used is not None and used < most * 40 * 64 * 64


def test_even_runs_cover_the_taps_and_fit_a_lane() -> None:
    rng = np.random.default_rng(35)
    for taps in (1, 2, 5, 16, 17, 64, 100):
        weights = random_int8(rng, (20, taps))
        weights[:3] = [[0], [1], [-128]]
        one = np.ones(20, np.int64)
        channels = Channels(weights, 0 * one, one << 30, -7 * one, 0, -128, 127)
        for row, (first, length, count) in zip(np.abs(weights.astype(int)), channels.even_runs(), strict=True):
            assert first + (count - 1) * length == taps and 0 < first <= length <= 16
            runs = [row[:first], *(row[k : k + length] for k in range(first, taps, length))]
            assert max(run.sum() for run in runs) <= 255


def test_what_the_lanes_cannot_do_is_an_obstacle() -> None:
    one = np.ones(1, np.int64)
    large = Channels(np.full((1, 100), 127, np.int8), 0 * one, one << 30, -13 * one, 0, -128, 127)
    assert large.obstacle() == "sums beyond 20 bits that are not clamped"
    assert replace(large, shift=0 * one).obstacle() == "a scale is outside [2^-15, 1/2)"
