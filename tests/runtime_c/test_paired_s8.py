# SPDX-License-Identifier: Apache-2.0
"""Convolutions and products with packed filters: exact, in place and at the limits, and what they cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from int8_calls import Conv, expected_conv, fast, random_int8, with_buffers
from kernel_batch import Call, c_array, run_calls

from tinyc.kernels.paired_filters import TILE, Filters, described, packed, packing_obstacle, pair_order

TARGETS = ["host", "cortex-m4", "cortex-m7", "cortex-m33"]
FUNCTIONS = ["product_paired_s8", "convolve_paired_s8", "fully_connected_paired_s8", "fully_connected_paired_8_s8"]
HEADERS = ["tinyc_paired_s8.h"]


def filters_of(p: Conv, compact: bool = False) -> Filters:
    """compact: halves are rounded away from zero even where that makes no difference."""
    weights = p.w.reshape(p.channels, -1).astype(np.int64)
    bias = 0 if p.bias is None else p.bias.astype(np.int64)
    first = bias + p.input_offset * weights.sum(1)
    away = compact or p.clamp[0] != p.output_offset
    multiplier, shift = p.multiplier.astype(np.int64), -p.shift.astype(np.int64)
    return Filters(weights, first, multiplier, shift, p.output_offset, p.clamp, away)


def _filters(filters: Filters, order: np.ndarray, apart: bool = False, tile: int = TILE) -> list[str]:
    tiles = c_array("int32_t", packed(filters, order, apart, tile)).partition(")")[2]
    fields = ", ".join(map(str, described(filters, order, apart, tile).values()))
    return [f"static const int32_t tiles[] = {tiles};", f"const tinyc_paired_filters filters = {{tiles, {fields}}};"]


def call(name: str, p: Conv, overlap: int | None = None, compact: bool = False) -> Call:
    """overlap: the result lies so many bytes in front of the input, in one buffer."""
    filters = filters_of(p, compact)
    assert packing_obstacle(filters) is None, packing_obstacle(filters)
    _, h, w, c = p.x.shape
    (rows, columns), (out_h, out_w) = p.kernel, p.output
    order = pair_order(columns * c, rows)
    source, result = ("@0", "@1") if overlap is None else (f"(@0 + {overlap})", "@0")
    lines = _filters(filters, order)
    if p.kernel == (1, 1) and p.stride == (1, 1) and p.pad == (0, 0):
        lines.append(f"tinyc_product_paired_s8(&filters, {source}, {h * w}, {c}, {result}, {p.channels}, (void *)@2);")
    else:
        fields = (h, w, c, rows, columns, *p.stride, *p.pad, -p.input_offset, out_h, out_w, p.channels)
        lines.append(f"const tinyc_paired_window window = {{{', '.join(map(str, fields))}}};")
        lines.append(f"tinyc_convolve_paired_s8(&filters, &window, {source}, {result}, (void *)@2);")
    x, expected = p.x.reshape(-1), expected_conv(p).reshape(-1)
    if overlap is not None:
        x = np.concatenate([np.full(overlap, 77, np.int8), x])
        expected = np.concatenate([expected, x[expected.size :]])
    scratch = np.zeros(2 * len(order) + -(-rows * columns * c // 4), np.int32)
    buffers = (x, np.full(expected.size, 0x55, np.int8), scratch)
    code, at = with_buffers("\n".join(lines)), int(overlap is None)
    return Call(f"{name} {p.x.shape} {p.w.shape}", code, buffers, at, expected, macs=p.macs)


def quantization(rng: np.random.Generator, channels: int, depth: int, away: bool) -> dict:
    """Scales that spread sums of this depth over the int8 range."""
    zero = int(rng.integers(-127, 128)) if away else -128
    return {
        "bias": rng.integers(-(2**13), 2**13, channels).astype(np.int32),
        "multiplier": rng.integers(2**30, 2**31, channels).astype(np.int32),
        "shift": -(rng.integers(6, 9, channels) + int(np.log2(depth) / 2)).astype(np.int32),
        "input_offset": int(rng.integers(-127, 129)),
        "output_offset": zero,
    }


def random_conv(rng: np.random.Generator, away: bool) -> Conv:
    kernel = tuple(int(k) for k in rng.integers(1, 5, 2)) if rng.random() < 0.7 else (1, 1)
    stride = tuple(int(s) for s in rng.integers(1, 3, 2)) if rng.random() < 0.5 else (1, 1)
    pad = tuple(int(rng.integers(0, k)) for k in kernel)
    extent = [int(rng.integers(1, 9)) for _ in range(2)]
    after = [int(rng.integers(0, k)) for k in kernel]
    output = tuple(max(1, (e + p + q - k) // s + 1)
                   for e, p, q, k, s in zip(extent, pad, after, kernel, stride, strict=True))  # fmt: skip
    depth, channels = int(rng.choice([1, 2, 3, 4, 5, 7, 8, 12, 16, 19, 33])), int(rng.integers(4, 23))
    x = random_int8(rng, (1, *extent, depth), rng.random() < 0.1)
    w = np.maximum(random_int8(rng, (channels, *kernel, depth), rng.random() < 0.1), -127).astype(np.int8)
    return Conv(x, w, output=output, stride=stride, pad=pad,
                **quantization(rng, channels, depth * kernel[0] * kernel[1], away))  # fmt: skip


@pytest.mark.parametrize(("away", "compact"), [(False, False), (False, True), (True, True)])
@pytest.mark.parametrize("target", TARGETS)
def test_random_shapes(target: str, away: bool, compact: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(61)
    calls = [call(f"random_{i}", random_conv(rng, away), None, compact) for i in range(20 if target == "host" else 60)]
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("target", TARGETS)
def test_products_over_their_own_input(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(62)
    calls = []
    for depth, channels in [(4, 4), (5, 4), (16, 16), (64, 64), (33, 20), (129, 6)]:
        x, w = random_int8(rng, (1, 3, 3, depth)), np.maximum(random_int8(rng, (channels, 1, 1, depth)), -127)
        p = Conv(x, w.astype(np.int8), output=(3, 3), **quantization(rng, channels, depth, channels % 8 == 0))
        calls += [call(f"over_{overlap}", p, overlap) for overlap in (0, 1, depth)]
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize(("away", "compact"), [(False, False), (False, True), (True, True)])
@pytest.mark.parametrize("target", TARGETS)
def test_requantization_at_its_limits(target: str, away: bool, compact: bool, tmp_path: Path) -> None:
    """Sums around zero, at their largest, and at halves of every shift."""
    rng = np.random.default_rng(63)
    calls = []
    for shift in range(1, 23 if compact else 17):
        for multiplier in (2**30, 2**31 - 1, int(rng.integers(2**30, 2**31))):
            halves = (np.arange(-4, 5)[:, None] * 2**shift + [-1, 0, 1]).reshape(-1)
            sums = np.concatenate([halves, rng.integers(-(2**23), 2**23, 20), [-(2**23) + 500, 2**23 - 500]])
            sums = np.clip(sums, -(2**23) + 500, 2**23 - 500).astype(np.int32)
            n = len(sums)
            x = np.array([-3, -2, -1, 0, 1, 2], np.int8).reshape(1, 2, 3, 1)
            zero = int(rng.integers(-127, 128)) if away else -128
            calls.append(call(f"limits_{shift}", Conv(
                x, np.ones((n, 1, 1, 1), np.int8), sums, np.full(n, multiplier, np.int32), np.full(n, -shift, np.int32),
                output=(2, 3), input_offset=0, output_offset=zero), None, compact))  # fmt: skip
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


def layer_call(name: str, p: Conv, tile: int = TILE) -> Call:
    """A fully connected layer: a convolution of one pixel."""
    filters = filters_of(p)
    assert packing_obstacle(filters) is None, packing_obstacle(filters)
    order = pair_order(p.x.shape[3], 1)
    function = {4: "tinyc_fully_connected_paired_s8", 8: "tinyc_fully_connected_paired_8_s8"}[tile]
    code = with_buffers("\n".join([*_filters(filters, order, True, tile), f"{function}(&filters, @0, @1);"]))
    result = np.full(p.channels, 0x55, np.int8)
    return Call(f"{name} {p.w.shape}", code, (p.x.reshape(-1), result), 1, expected_conv(p).reshape(-1), macs=p.macs)


def with_one_scale(p: Conv) -> Conv:
    first = np.zeros(p.channels, np.int64)
    return replace(p, multiplier=p.multiplier[first], shift=p.shift[first])


def layer(rng: np.random.Generator, depth: int, outputs: int, away: bool) -> Conv:
    x, w = random_int8(rng, (1, 1, 1, depth)), np.maximum(random_int8(rng, (outputs, 1, 1, depth)), -127)
    return Conv(x, w.astype(np.int8), output=(1, 1), **quantization(rng, outputs, depth, away))


@pytest.mark.parametrize("target", TARGETS)
def test_fully_connected(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(66)
    calls = []
    for depth in (4, 8, 12, 16, 20, 64, 100):
        for outputs in (4, 5, 7, 12):
            for away in (False, True):
                one = layer(rng, depth, outputs, away)
                calls += [layer_call("layer", one), layer_call("one scale", with_one_scale(one))]
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("target", TARGETS)
def test_fully_connected_by_eight(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(67)
    calls = []
    for depth in (4, 8, 12, 16, 20, 36, 100, 128):
        for outputs in (8, 16, 24):
            for away in (False, True):
                calls.append(layer_call("eight", with_one_scale(layer(rng, depth, outputs, away)), 8))
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("target", TARGETS)
def test_fully_connected_by_eight_at_its_limits(target: str, away: bool, tmp_path: Path) -> None:
    """Weights and activations at their extremes: sums up to 24 bits, in neighbouring filters of opposite signs."""
    rng = np.random.default_rng(68)
    calls = []
    for depth in (4, 128, 512):
        for x in (-128, 127):
            for sign in (-1, 1):
                w = np.tile(np.array([[-127], [127 * sign]], np.int8), (8, depth)).reshape(16, 1, 1, depth)
                p = Conv(np.full((1, 1, 1, depth), x, np.int8), w, output=(1, 1),
                         **quantization(rng, 16, 128 * depth, away))  # fmt: skip
                p = with_one_scale(replace(p, input_offset=0))
                calls.append(layer_call("limits", p, 8))
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("flags", ["-O0", "-Og", "-Os", "-O3 -flto", "-O2 -fno-omit-frame-pointer"])
def test_exact_however_it_is_compiled(flags: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(64)
    calls = [call(f"random_{i}", random_conv(rng, i % 2 == 0)) for i in range(12)]
    calls += [layer_call("layer", layer(rng, 24, 9, away)) for away in (False, True)]
    calls += [layer_call("eight", with_one_scale(layer(rng, 24, 16, away)), 8) for away in (False, True)]
    run_calls(calls, FUNCTIONS, HEADERS, "cortex-m4", tmp_path, cflags=flags.split())


@pytest.mark.parametrize(
    ("extent", "kernel", "depth", "channels", "most"),
    [((25, 5), (1, 1), 64, 64, 0.92), ((8, 8), (3, 3), 64, 64, 0.83), ((12, 12), (1, 1), 8, 16, 2.0)],
)
def test_instructions(extent, kernel, depth: int, channels: int, most: float, tmp_path: Path) -> None:
    """For each multiplication, requantization and widening included."""
    rng = np.random.default_rng(65)
    x, w = random_int8(rng, (1, *extent, depth)), np.maximum(random_int8(rng, (channels, *kernel, depth)), -127)
    p = Conv(x, w.astype(np.int8), output=extent, pad=(kernel[0] // 2, kernel[1] // 2),
             **quantization(rng, channels, depth * kernel[0] * kernel[1], False))  # fmt: skip
    counts = []
    for times in (1, 2):
        one = call("counted", p)
        repeated = replace(one, code=f"for (int i = 0; i < {times}; ++i) {{{{ {one.code} }}}}")
        counts.append(run_calls([repeated], FUNCTIONS, HEADERS, "cortex-m4", tmp_path, count_instructions=True))
    per_product = (counts[1] - counts[0]) / (x[0, ..., 0].size * w.size)
    print(f"{per_product:.3f} instructions a multiplication")
    assert per_product <= most
